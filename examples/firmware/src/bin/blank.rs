//! Everything that the other programs have, but no stack: the board, the executor, the driver, which is asked
//! for frames and given some. The report subtracts it.
#![no_std]
#![no_main]

use core::future::poll_fn;
use core::task::Poll;

use cygnet_lan9118::{Buffers, Config, Lan9118};
use embassy_executor::Spawner;
use embassy_time::Timer;
use mps2::{console, meter};
use static_cell::ConstStaticCell;

#[embassy_executor::main(executor = "mps2::Executor", entry = "cortex_m_rt::entry")]
async fn main(_spawner: Spawner) {
    mps2::init();
    static FRAMES: ConstStaticCell<Buffers> = ConstStaticCell::new(Buffers::new());
    let address = Config::new([0x02, 0, 0, 0, 0x69, 0x02]);
    let mut driver = Lan9118::new(&mps2::ETHERNET, FRAMES.take(), address).expect("a LAN9118");
    mps2::enable_ethernet_interrupt();
    Timer::after_millis(1).await;
    console::print_numbers(
        "blank",
        &[meter::busy_cycles(), meter::stack_depth() as u64],
    );
    poll_fn::<(), _>(|cx| {
        let _ = driver.poll_link(cx);
        while let Some((rx, Some(tx))) = driver.poll_receive(cx) {
            let len = rx.read(|frame| frame.len());
            tx.write(len, |frame| frame.fill(0));
        }
        Poll::Pending
    })
    .await;
}
