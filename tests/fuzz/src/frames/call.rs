//! What the user of the stack may call, beside reading and writing.

/// A call. What it returns is its own business: errors are no findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Call {
    /// The fixed IPv4 address is set anew, with its gateway and name servers.
    StaticV4,
    /// The IPv4 address comes from DHCP.
    Dhcp,
    /// The IPv4 address is a link-local one.
    LinkLocalV4,
    /// One or the other.
    DhcpOrLinkLocal,
    /// There is no IPv4 address.
    NoV4,
    /// The fixed IPv6 address is set anew, and looked for on the link.
    StaticV6,
    /// There is a link-local IPv6 address and no other.
    LinkLocalV6,
    /// There is no IPv6 address.
    NoV6,
    /// Others get their addresses from this stack.
    StartDhcpServer,
    /// They do not any more.
    StopDhcpServer,
    /// The addresses of a name are asked for, instead of those of another.
    Resolve,
    /// The same, of a name under `.local`.
    ResolveLocal,
    /// Nobody waits for addresses any more.
    StopResolving,
    /// The stack has a name under `.local`.
    Name,
    /// It has none.
    NoName,
    /// The stack has a service that others can find.
    AddService,
    /// It has none.
    RemoveServices,
    /// Services of others are looked for.
    Browse,
    /// They are not any more.
    StopBrowsing,
    /// The socket hears a group.
    Join,
    /// Of the group, it hears only one source.
    JoinSource,
    /// It does not hear the group.
    Leave,
    /// A datagram for a neighbor whose link address is not known.
    SendToStrangerV6,
    /// The same for IPv4.
    SendToStrangerV4,
    /// A datagram that is longer than the link's MTU, to the peer.
    SendLongV6,
    /// The same for IPv4.
    SendLongV4,
    /// A datagram to the peer's port 9, which an error may come back about.
    SendV6,
    /// The same for IPv4.
    SendV4,
}

const ALL: [Call; 28] = [
    Call::StaticV4,
    Call::Dhcp,
    Call::LinkLocalV4,
    Call::DhcpOrLinkLocal,
    Call::NoV4,
    Call::StaticV6,
    Call::LinkLocalV6,
    Call::NoV6,
    Call::StartDhcpServer,
    Call::StopDhcpServer,
    Call::Resolve,
    Call::ResolveLocal,
    Call::StopResolving,
    Call::Name,
    Call::NoName,
    Call::AddService,
    Call::RemoveServices,
    Call::Browse,
    Call::StopBrowsing,
    Call::Join,
    Call::JoinSource,
    Call::Leave,
    Call::SendToStrangerV6,
    Call::SendToStrangerV4,
    Call::SendLongV6,
    Call::SendLongV4,
    Call::SendV6,
    Call::SendV4,
];

impl From<u16> for Call {
    fn from(number: u16) -> Self {
        ALL[usize::from(number) % ALL.len()]
    }
}
