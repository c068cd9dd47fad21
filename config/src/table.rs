//! The settings: the one place where a setting is named, bounded and described.
//!
//! Read by the build script and by the tests that hold `Cargo.toml` and `README.md` to it.
//! `CYGNET_BLESS=1 cargo test -p cygnet-config` writes both files anew after a change here.

/// A size that is fixed when the stack is compiled.
pub(crate) struct Setting {
    /// The name of the constant, and of the environment variable after its prefix.
    pub(crate) name: &'static str,
    /// The value where nothing else is asked for.
    pub(crate) default: usize,
    /// The smallest value that works.
    pub(crate) min: usize,
    /// The largest value that works. Fits 16 bits, since `usize` may have no more.
    pub(crate) max: usize,
    /// The values that have a feature, ascending.
    pub(crate) features: &'static [usize],
    /// What it is, in one sentence of Markdown.
    pub(crate) doc: &'static str,
}

impl Setting {
    /// The environment variable that sets it.
    pub(crate) fn variable(&self) -> String {
        format!("CYGNET_{}", self.name)
    }

    /// The feature that sets it to `value`.
    pub(crate) fn feature(&self, value: usize) -> String {
        format!("{}-{value}", self.name.to_lowercase().replace('_', "-"))
    }
}

const FEW: &[usize] = &[1, 2, 3, 4, 5, 6, 7, 8, 16, 32];
const MANY: &[usize] = &[1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64, 128, 256, 512, 1024];
const BUFFER: &[usize] = &[256, 512, 1024, 1500, 2048, 4096, 8192, 16384, 32768, 65535];
const BURST: &[usize] = &[1, 2, 4, 8, 16, 32, 64, 128, 256];

pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "IFACE_MAX_ADDR_COUNT",
        default: 4,
        min: 1,
        max: 1024,
        features: FEW,
        doc: "The most IP addresses of one interface, IPv4 and IPv6 together.",
    },
    Setting {
        name: "IFACE_MAX_MULTICAST_GROUP_COUNT",
        default: 4,
        min: 1,
        max: 4096,
        features: MANY,
        doc: "The most multicast memberships of one interface, IPv4 and IPv6 together: a group that several sockets join counts for each.",
    },
    Setting {
        name: "MULTICAST_SOURCE_COUNT",
        default: 2,
        min: 1,
        max: 32,
        features: FEW,
        doc: "The most sources that a multicast membership names, to be heard or not.",
    },
    Setting {
        name: "IFACE_MAX_SIXLOWPAN_ADDRESS_CONTEXT_COUNT",
        default: 4,
        min: 1,
        max: 1024,
        features: MANY,
        doc: "The most 6LoWPAN address contexts of one interface.",
    },
    Setting {
        name: "IFACE_NEIGHBOR_CACHE_COUNT",
        default: 8,
        min: 1,
        max: 16384,
        features: MANY,
        doc: "The neighbors whose hardware address is remembered (the \"ARP cache\").",
    },
    Setting {
        name: "IFACE_MAX_ROUTE_COUNT",
        default: 4,
        min: 1,
        max: 4096,
        features: MANY,
        doc: "The most routes, IPv4 and IPv6 and the default ones together.",
    },
    Setting {
        name: "ROUTER_COUNT",
        default: 4,
        min: 1,
        max: 256,
        features: FEW,
        doc: "The most default routers that are known from their advertisements (feature `slaac`).",
    },
    Setting {
        name: "ROUTER_ROUTE_COUNT",
        default: 4,
        min: 1,
        max: 256,
        features: FEW,
        doc: "The most routes beside those to everywhere that are known from router advertisements.",
    },
    Setting {
        name: "PREFIX_COUNT",
        default: 4,
        min: 1,
        max: 256,
        features: FEW,
        doc: "The most prefixes that are known to be on the link from router advertisements.",
    },
    Setting {
        name: "REDIRECT_COUNT",
        default: 4,
        min: 1,
        max: 256,
        features: FEW,
        doc: "The most destinations that routers gave a better first hop for.",
    },
    Setting {
        name: "PATH_MTU_COUNT",
        default: 8,
        min: 1,
        max: 4096,
        features: MANY,
        doc: "The destinations whose path is known to take shorter packets than the link.",
    },
    Setting {
        name: "FRAGMENTATION_BUFFER_SIZE",
        default: 1500,
        min: 256,
        max: 65535,
        features: BUFFER,
        doc: "The longest answer in bytes that is sent in fragments; sockets need no room beyond their own.",
    },
    Setting {
        name: "ASSEMBLER_MAX_SEGMENT_COUNT",
        default: 4,
        min: 1,
        max: 32,
        features: &[1, 2, 3, 4, 8, 16, 32],
        doc: "The most separate ranges of one datagram that IP fragments have filled.",
    },
    Setting {
        name: "REASSEMBLY_BUFFER_SIZE",
        default: 1500,
        min: 256,
        max: 65535,
        features: BUFFER,
        doc: "The longest packet in bytes that is put together from fragments; longer ones are dropped.",
    },
    Setting {
        name: "REASSEMBLY_BUFFER_COUNT",
        default: 1,
        min: 1,
        max: 256,
        features: FEW,
        doc: "How many packets are put together from fragments at a time.",
    },
    Setting {
        name: "CONFIG_EVENT_COUNT",
        default: 8,
        min: 1,
        max: 256,
        features: FEW,
        doc: "The events of the link and the configuration that are kept for their readers.",
    },
    Setting {
        name: "DHCP_SERVER_LEASE_COUNT",
        default: 8,
        min: 1,
        max: 1024,
        features: MANY,
        doc: "The most clients of the DHCP server, with those that it remembers.",
    },
    Setting {
        name: "DNS_MAX_RESULT_COUNT",
        default: 1,
        min: 1,
        max: 256,
        features: FEW,
        doc: "The addresses of an answer that are kept; the rest are ignored.",
    },
    Setting {
        name: "DNS_MAX_SERVER_COUNT",
        default: 1,
        min: 1,
        max: 256,
        features: FEW,
        doc: "The most DNS servers that can be configured.",
    },
    Setting {
        name: "DNS_MAX_NAME_SIZE",
        default: 255,
        min: 1,
        max: 255,
        features: &[64, 128, 255],
        doc: "The longest name in bytes that can be asked for.",
    },
    Setting {
        name: "DNS_SEARCH_SIZE",
        default: 64,
        min: 1,
        max: 4096,
        features: &[64, 128, 256, 512],
        doc: "The bytes of the domains that short names are looked for in, all together.",
    },
    Setting {
        name: "DNS_CACHE_SIZE",
        default: 512,
        min: 1,
        max: 65535,
        features: BUFFER,
        doc: "The bytes of the answers that the DNS cache holds, all together.",
    },
    Setting {
        name: "MDNS_BROWSER_COUNT",
        default: 2,
        min: 1,
        max: 64,
        features: FEW,
        doc: "The most names that are looked for on and on by Multicast DNS.",
    },
    Setting {
        name: "MDNS_SERVICE_COUNT",
        default: 2,
        min: 1,
        max: 10,
        features: &[1, 2, 3, 4, 5, 6, 7, 8],
        doc: "The most services that are announced by Multicast DNS.",
    },
    Setting {
        name: "MDNS_TEXT_SIZE",
        default: 128,
        min: 1,
        max: 512,
        features: &[64, 128, 256, 512],
        doc: "The bytes of text that a service has beside its name and port.",
    },
    Setting {
        name: "RECEIVE_BURST",
        default: 16,
        min: 1,
        max: 4096,
        features: BURST,
        doc: "The most frames that one poll of the runner takes from the driver.",
    },
    Setting {
        name: "TRANSMIT_BURST",
        default: 16,
        min: 1,
        max: 4096,
        features: BURST,
        doc: "The most frames that one poll of the runner gives to the driver.",
    },
    Setting {
        name: "TRANSMIT_TURN",
        default: 4,
        min: 1,
        max: 4096,
        features: BURST,
        doc: "The most frames that a socket sends before it is another's turn; the stack is locked meanwhile.",
    },
    Setting {
        name: "TCP_HALF_OPEN_COUNT",
        default: 8,
        min: 1,
        max: 16384,
        features: MANY,
        doc: "The most half-open connections, of all listeners together; 254 without the feature `many-sockets`.",
    },
    Setting {
        name: "TCP_TIME_WAIT_COUNT",
        default: 16,
        min: 1,
        max: 16384,
        features: MANY,
        doc: "The most closed connections that wait in TIME-WAIT; 254 without the feature `many-sockets`.",
    },
    Setting {
        name: "TCP_FAST_OPEN_COUNT",
        default: 4,
        min: 1,
        max: 1024,
        features: FEW,
        doc: "The most servers whose TCP Fast Open cookies a client keeps.",
    },
    Setting {
        name: "TCP_POOL_COUNT",
        default: 2,
        min: 1,
        max: 256,
        features: FEW,
        doc: "The most pools of TCP buffers that one stack draws on.",
    },
    Setting {
        name: "UDP_POOL_COUNT",
        default: 1,
        min: 1,
        max: 256,
        features: FEW,
        doc: "The most pools of UDP buffers that one stack draws on (feature `embedded-nal-async`).",
    },
    Setting {
        name: "WATCHER_COUNT",
        default: 4,
        min: 1,
        max: 1024,
        features: FEW,
        doc: "The tasks that can wait for the link, the configuration or what happens to it at a time; more keep waking each other.",
    },
    Setting {
        name: "ICMP_ERROR_BURST",
        default: 8,
        min: 1,
        max: 1024,
        features: BURST,
        doc: "The ICMP errors that are sent back to back before the rate limit holds them.",
    },
    Setting {
        name: "LOCK_COPY_SIZE",
        default: 4096,
        min: 64,
        max: 65535,
        features: &[
            64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65535,
        ],
        doc: "The most bytes that are copied between an application and a socket in one lock.",
    },
];
