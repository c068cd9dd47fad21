//! A stack beside the Linux kernel, on a tap in a network namespace of its own.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use cygnet::{Config, ConfigV4, Resources, Stack};
use cygnet_host::{Interface, TokioClock, linux_test};
use cygnet_tuntap::{Device, Mode, TunTap};

/// The stack's hardware address.
const HARDWARE: [u8; 6] = [2, 0, 0, 0, 0, 0x42];

/// Runs `test` with a stack that is configured as `config` says, and the name of the kernel's interface at
/// the other end, which has that address and prefix length, if any.
pub(crate) fn beside_kernel(
    config: impl Into<ConfigV4>,
    address: impl Into<Option<(Ipv4Addr, u8)>>,
    test: impl AsyncFnOnce(Stack<'static>, &str) + Send,
) {
    let mut whole = Config::new();
    whole.ipv4 = config.into();
    let address = address.into().map(|(address, len)| (address.into(), len));
    beside_kernel_with(whole, address, test);
}

/// The same with any configuration and address.
pub(crate) fn beside_kernel_with(
    config: Config,
    address: impl Into<Option<(IpAddr, u8)>>,
    test: impl AsyncFnOnce(Stack<'static>, &str) + Send,
) {
    let address = address.into();
    linux_test(|_| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let limit = Duration::from_secs(120);
        let ended = runtime.block_on(async {
            let device = Device::open("", Mode::Tap).expect("a device");
            let name = device.name().to_owned();
            let interface = Interface::named(name.clone());
            if let Some((address, prefix_len)) = address {
                interface
                    .add_address(address, prefix_len)
                    .expect("an address for an interface of one's own");
            }
            interface
                .up()
                .expect("an interface of one's own can be set up");
            let driver = TunTap::new(device)
                .expect("a driver")
                .with_hardware_address(HARDWARE);
            let resources = Box::leak(Box::new(Resources::<16>::new()));
            let clock = TokioClock::new();
            let (stack, mut runner) =
                cygnet::new_with_clock(driver, config, resources, [5; 32], clock);
            let story = async {
                tokio::select! {
                    _ = runner.run() => {}
                    () = test(stack, &name) => {}
                }
            };
            tokio::time::timeout(limit, story).await
        });
        runtime.shutdown_background();
        ended.expect("the test hangs");
    });
}
