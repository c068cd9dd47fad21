//! What the kernel says about an interface, by ioctl: see netdevice(7) and the kernel's
//! `Documentation/networking/tuntap.rst`.
//!
//! `/sys/class/net` would do without `unsafe`, but shows the namespace it was mounted in, which need
//! not be the caller's.

use core::mem::size_of;
use std::os::fd::BorrowedFd;

use rustix::io;
use rustix::ioctl::{Opcode, Updater, ioctl};

/// Whether the kernel may take `name` for an interface: `dev_valid_name` of its `net/core/dev.c`, and of the
/// patterns that an interface can be created by only `%d`. An empty one is for it to choose.
pub(crate) fn may_be_name(name: &str) -> bool {
    let is_odd =
        |c: char| matches!(c, '/' | ':' | '%' | '\0') || c.is_ascii_whitespace() || c == '\x0B';
    let plain = name.replacen("%d", "0", 1);
    name.len() <= MAX_NAME_LEN && !matches!(name, "." | "..") && !plain.contains(is_odd)
}

/// What a device's descriptor is attached to.
pub(crate) struct Attached {
    /// The interface's present name.
    pub(crate) name: String,
    /// Whether it carries Ethernet frames rather than IP packets.
    pub(crate) tap: bool,
    /// Whether its frames come with virtio-net headers.
    pub(crate) vnet_headers: bool,
}

/// The interface that the device `fd` is attached to.
pub(crate) fn attached(fd: BorrowedFd<'_>) -> io::Result<Attached> {
    let mut request = Request::new("");
    // SAFETY: TUNGETIFF fills in a `struct ifreq`, whose layout `Request` has.
    unsafe { ioctl(fd, Updater::<TUNGETIFF, Request>::new(&mut request)) }?;
    let flags = i32::from(request.flags());
    // Of IFF_NO_PI nothing can be said: the kernel reports IFF_NOFILTER in the same bit.
    Ok(Attached {
        name: request.name(),
        tap: flags & libc::IFF_TAP != 0,
        vnet_headers: flags & libc::IFF_VNET_HDR != 0,
    })
}

/// The MTU in bytes of the interface `name` in the namespace of `socket`.
pub(crate) fn mtu(socket: BorrowedFd<'_>, name: &str) -> io::Result<usize> {
    let mut request = Request::new(name);
    // SAFETY: SIOCGIFMTU reads and fills in a `struct ifreq`, whose layout `Request` has.
    unsafe { ioctl(socket, Updater::<SIOCGIFMTU, Request>::new(&mut request)) }?;
    usize::try_from(request.value()).map_err(|_| io::Errno::RANGE)
}

/// What the frames of the interface `name` in the namespace of `socket` are, as `ARPHRD_*` numbers it, and its
/// hardware address, if it has one of six bytes.
pub(crate) fn hardware(socket: BorrowedFd<'_>, name: &str) -> io::Result<(u16, [u8; 6])> {
    let mut request = Request::new(name);
    // SAFETY: SIOCGIFHWADDR reads and fills in a `struct ifreq`, whose layout `Request` has.
    unsafe { ioctl(socket, Updater::<SIOCGIFHWADDR, Request>::new(&mut request)) }?;
    // The union as `struct sockaddr ifr_hwaddr`.
    let [k0, k1, a, b, c, d, e, f, ..] = request.union;
    Ok((u16::from_ne_bytes([k0, k1]), [a, b, c, d, e, f]))
}

/// Whether the interface `name` in the namespace of `socket` is up and has a carrier.
pub(crate) fn is_running(socket: BorrowedFd<'_>, name: &str) -> io::Result<bool> {
    let mut request = Request::new(name);
    // SAFETY: SIOCGIFFLAGS reads and fills in a `struct ifreq`, whose layout `Request` has.
    unsafe { ioctl(socket, Updater::<SIOCGIFFLAGS, Request>::new(&mut request)) }?;
    let up_and_running = libc::IFF_UP | libc::IFF_RUNNING;
    Ok(i32::from(request.flags()) & up_and_running == up_and_running)
}

/// The kernel's `struct ifreq`: a name, and a union of which we use the integers.
#[repr(C, align(4))]
struct Request {
    name: [u8; libc::IFNAMSIZ],
    union: [u8; size_of::<libc::ifreq>() - libc::IFNAMSIZ],
}

const _: () = assert!(size_of::<Request>() == size_of::<libc::ifreq>());

impl Request {
    /// A request about the interface `name`, of which the first [`MAX_NAME_LEN`] bytes count.
    fn new(name: &str) -> Self {
        let mut request = Self {
            name: [0; libc::IFNAMSIZ],
            union: [0; size_of::<libc::ifreq>() - libc::IFNAMSIZ],
        };
        let room = &mut request.name[..MAX_NAME_LEN];
        for (to, from) in room.iter_mut().zip(name.bytes()) {
            *to = from;
        }
        request
    }

    fn name(&self) -> String {
        let bytes = self.name.split(|&byte| byte == 0).next().unwrap_or(&[]);
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// The union as `short ifr_flags`.
    fn flags(&self) -> i16 {
        i16::from_ne_bytes([self.union[0], self.union[1]])
    }

    /// The union as `int ifr_mtu`.
    fn value(&self) -> i32 {
        i32::from_ne_bytes([self.union[0], self.union[1], self.union[2], self.union[3]])
    }
}

/// The longest interface name in bytes.
pub(crate) const MAX_NAME_LEN: usize = libc::IFNAMSIZ - 1;

const TUNGETIFF: Opcode = libc::TUNGETIFF as Opcode;
const SIOCGIFMTU: Opcode = libc::SIOCGIFMTU as Opcode;
const SIOCGIFHWADDR: Opcode = libc::SIOCGIFHWADDR as Opcode;
const SIOCGIFFLAGS: Opcode = libc::SIOCGIFFLAGS as Opcode;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_keeps_room_for_the_terminator() {
        assert_eq!(Request::new("tap0").name(), "tap0");
        assert_eq!(Request::new("0123456789abcdefgh").name(), "0123456789abcde");
        assert_eq!(Request::new("").name(), "");
    }

    #[test]
    fn the_union_is_read_in_host_order() {
        let mut request = Request::new("");
        request.union[..4].copy_from_slice(&0x0001_1002_i32.to_ne_bytes());
        assert_eq!(request.value(), 0x0001_1002);
        request.union[..2].copy_from_slice(&0x1002_i16.to_ne_bytes());
        assert_eq!(request.flags(), 0x1002);
    }
}
