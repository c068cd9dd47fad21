//! What a responder answers for: the host, and the services on it (RFC 6763).

use cygnet_config::MDNS_TEXT_SIZE;
use heapless::{String, Vec};

use super::claim::Claim;
use crate::wire::dns::{NAME_ROOM, Name};

/// A service for others to find (RFC 6763).
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MdnsService<'a> {
    /// The name of this one, for people to read: up to 63 bytes, of any characters. When somebody else has
    /// it, a number is added.
    pub instance: &'a str,
    /// The type, such as `_http._tcp`.
    pub kind: &'a str,
    /// The port.
    pub port: u16,
    /// What else there is to say, `key=value` (RFC 6763 section 6), each up to 255 bytes and all of them up
    /// to `MDNS_TEXT_SIZE` with a byte for each.
    pub text: &'a [&'a str],
}

/// A service that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MdnsServiceId {
    pub(super) place: u8,
    /// Tells it from the one that had the place before.
    pub(super) serial: u16,
}

/// Why a name or a service was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum MdnsError {
    /// The name is empty, longer than 63 bytes, or has a dot where none may be.
    InvalidName,
    /// The type is not one such as `_http._tcp`.
    InvalidType,
    /// There is more text than there is room for (`MDNS_TEXT_SIZE`).
    LongText,
    /// There is no room for another service (`MDNS_SERVICE_COUNT`).
    TooManyServices,
    /// There is no room for another membership in a group (`IFACE_MAX_MULTICAST_GROUP_COUNT`).
    GroupTableFull,
    /// There is no room for another browser (`MDNS_BROWSER_COUNT`).
    TooManyBrowsers,
    /// There is no free socket slot.
    NoSlot,
    /// Another task waits already.
    TooManyWaiters,
    /// The call came from within a closure that the stack itself called.
    Reentrant,
}

impl core::fmt::Display for MdnsError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::InvalidName => "the name is empty, too long, or has a dot",
            Self::InvalidType => "not a type of service such as _http._tcp",
            Self::LongText => "too much text for a service (MDNS_TEXT_SIZE)",
            Self::TooManyServices => "no room for another service (MDNS_SERVICE_COUNT)",
            Self::GroupTableFull => "no room for a group (IFACE_MAX_MULTICAST_GROUP_COUNT)",
            Self::TooManyBrowsers => "no room for another browser (MDNS_BROWSER_COUNT)",
            Self::NoSlot => "no free socket slot",
            Self::TooManyWaiters => "another task waits already",
            Self::Reentrant => "the stack was called from within one of its own calls",
        })
    }
}

impl core::error::Error for MdnsError {}

/// A label of a name, with a number when others have it.
#[derive(Clone, Debug)]
pub(super) struct Label {
    text: String<63>,
    number: u16,
    style: Style,
}

/// How the number stands in the label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `swan-2`
    Host,
    /// `Swan (2)`
    Instance,
}

impl Label {
    pub(super) fn new(text: &str, style: Style) -> Option<Self> {
        let is_host = style == Style::Host;
        if text.is_empty() || (is_host && text.contains('.')) {
            return None;
        }
        Some(Self {
            text: text.try_into().ok()?,
            number: 1,
            style,
        })
    }

    /// Takes the next number.
    pub(super) fn count_up(&mut self) {
        // After so many names all are tried again.
        self.number = self.number.checked_add(1).unwrap_or(2);
    }

    /// The label as it is now, in at most `most` bytes.
    pub(super) fn current(&self, most: usize) -> String<63> {
        let suffix = self.suffix();
        let mut room = most
            .min(63)
            .saturating_sub(suffix.len())
            .min(self.text.len());
        while !self.text.is_char_boundary(room) {
            room -= 1;
        }
        let mut label = String::new();
        let _ = label.push_str(self.text.get(..room).unwrap_or_default());
        let _ = label.push_str(&suffix);
        label
    }
}

impl Label {
    fn suffix(&self) -> String<10> {
        let mut suffix = String::new();
        if self.number == 1 {
            return suffix;
        }
        let (before, after) = match self.style {
            Style::Host => ("-", ""),
            Style::Instance => (" (", ")"),
        };
        let _ = suffix.push_str(before);
        let places = [10_000, 1_000, 100, 10, 1].into_iter();
        for place in places.skip_while(|&place| place > self.number) {
            let digit = self.number / place % 10;
            let _ = suffix.push(char::from(b'0' + digit as u8));
        }
        let _ = suffix.push_str(after);
        suffix
    }
}

/// The host itself.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) label: Label,
    pub(super) claim: Claim,
}

/// A service that was added.
#[derive(Clone, Debug)]
pub(super) struct Service {
    label: Label,
    kind: String<LONGEST_TYPE>,
    pub(super) port: u16,
    pub(super) text: Vec<u8, MDNS_TEXT_SIZE>,
    pub(super) claim: Claim,
    /// It is to be forgotten as soon as everybody is told.
    pub(super) leaves: bool,
    /// The number in its [`MdnsServiceId`].
    pub(super) serial: u16,
}

impl Host {
    pub(super) fn new(name: &str) -> Result<Self, MdnsError> {
        let name = name.strip_suffix(".local").unwrap_or(name);
        Ok(Self {
            label: Label::new(name, Style::Host).ok_or(MdnsError::InvalidName)?,
            claim: Claim::new(),
        })
    }

    pub(super) fn name(&self) -> Name {
        under_local(&self.label, &[])
    }
}

impl Service {
    pub(super) fn new(service: &MdnsService<'_>) -> Result<Self, MdnsError> {
        let kind = parse_type(service.kind).ok_or(MdnsError::InvalidType)?;
        let mut text = Vec::new();
        for string in service.text.iter().filter(|string| !string.is_empty()) {
            let len = u8::try_from(string.len()).map_err(|_| MdnsError::LongText)?;
            text.push(len).map_err(|_| MdnsError::LongText)?;
            text.extend_from_slice(string.as_bytes())
                .map_err(|_| MdnsError::LongText)?;
        }
        if text.is_empty() {
            // RFC 6763 section 6.1: "An empty TXT record containing zero strings is not allowed".
            text.push(0).map_err(|_| MdnsError::LongText)?;
        }
        Ok(Self {
            label: Label::new(service.instance, Style::Instance).ok_or(MdnsError::InvalidName)?,
            kind,
            port: service.port,
            text,
            claim: Claim::new(),
            leaves: false,
            serial: 0,
        })
    }

    /// `_http._tcp.local`
    pub(super) fn type_name(&self) -> Name {
        name_of(self.type_labels())
    }

    /// `Swan._http._tcp.local`
    pub(super) fn instance_name(&self) -> Name {
        let (service, protocol) = self.kind.split_once('.').unwrap_or_default();
        under_local(&self.label, &[service, protocol])
    }

    /// The label of the instance as it is now.
    pub(super) fn instance(&self) -> String<63> {
        self.label.current(63)
    }

    pub(super) fn is_of_type(&self, other: &Self) -> bool {
        self.kind.eq_ignore_ascii_case(&other.kind)
    }

    pub(super) fn count_up(&mut self) {
        self.label.count_up();
    }

    fn type_labels(&self) -> impl Iterator<Item = &str> {
        self.kind.split('.').chain(["local"])
    }
}

/// `_services._dns-sd._udp.local`, which lists all types (RFC 6763 section 9).
pub(super) fn all_types() -> Name {
    name_of(["_services", "_dns-sd", "_udp", "local"].into_iter())
}

fn name_of<'a>(labels: impl Iterator<Item = &'a str>) -> Name {
    let mut name = Name::root();
    for label in labels {
        let pushed = name.push(label.as_bytes());
        debug_assert!(pushed.is_ok(), "the name was looked at before");
    }
    name
}

/// The label, then others, then `local`; the first as long as there is room for it.
fn under_local(label: &Label, middle: &[&str]) -> Name {
    let others = middle.iter().map(|label| label.len() + 1).sum::<usize>();
    let room = NAME_ROOM.saturating_sub(others + LOCAL + 1);
    let label = label.current(room);
    let first = core::iter::once(label.as_str());
    name_of(first.chain(middle.iter().copied()).chain(["local"]))
}

/// RFC 6763 section 7: an underscore and up to fifteen letters, digits and hyphens; then `_tcp` or `_udp`.
fn parse_type(kind: &str) -> Option<String<LONGEST_TYPE>> {
    let kind = kind.strip_suffix(".local").unwrap_or(kind);
    let (service, protocol) = kind.split_once('.')?;
    let name = service.strip_prefix('_')?;
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_name = (1..=15).contains(&name.len()) && name.bytes().all(is_usual);
    if !is_name || !["_tcp", "_udp"].contains(&protocol) {
        return None;
    }
    kind.try_into().ok()
}

const LONGEST_TYPE: usize = 16 + 1 + 4;

/// `local` and the root, in a message.
const LOCAL: usize = 7;

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    const WEB: MdnsService<'_> = MdnsService {
        instance: "A swan. Or two",
        kind: "_http._tcp",
        port: 80,
        text: &["path=/", ""],
    };

    #[test]
    fn a_service_has_its_names() {
        let service = Service::new(&WEB).unwrap();
        assert_eq!(service.type_name().to_string(), "_http._tcp.local");
        let instance = service.instance_name();
        let labels: std::vec::Vec<_> = instance.as_name().labels().collect();
        assert_eq!(
            labels,
            [&b"A swan. Or two"[..], b"_http", b"_tcp", b"local"]
        );
        assert_eq!(service.text, b"\x06path=/");
        assert_eq!(all_types().to_string(), "_services._dns-sd._udp.local");
    }

    #[test]
    fn a_name_that_somebody_has_gets_a_number() {
        let mut host = Host::new("swan.local").unwrap();
        host.label.count_up();
        assert_eq!(host.name().to_string(), "swan-2.local");
        let mut service = Service::new(&WEB).unwrap();
        service.count_up();
        service.count_up();
        assert_eq!(service.instance(), "A swan. Or two (3)");
        let long = "\u{fc}".repeat(31);
        let mut label = Label::new(&long, Style::Instance).unwrap();
        assert_eq!(label.current(63).as_str(), long);
        label.count_up();
        let current = label.current(63);
        assert!(current.ends_with(" (2)") && current.len() <= 63);
        assert_eq!(current.chars().filter(|&c| c == '\u{fc}').count(), 29);
    }

    #[test]
    fn names_and_types_that_are_none_are_refused() {
        for name in ["", "a.b", &"x".repeat(64)] {
            assert_eq!(
                Host::new(name).err(),
                Some(MdnsError::InvalidName),
                "{name}"
            );
        }
        for kind in [
            "http._tcp",
            "_http",
            "_http._sctp",
            "_._tcp",
            "_sixteen-letters-._tcp",
            "_a.b._tcp",
        ] {
            let service = MdnsService { kind, ..WEB };
            assert_eq!(
                Service::new(&service).err(),
                Some(MdnsError::InvalidType),
                "{kind}"
            );
        }
        let long = "x".repeat(MDNS_TEXT_SIZE);
        let text = &[long.as_str()][..];
        let service = MdnsService { text, ..WEB };
        assert_eq!(Service::new(&service).err(), Some(MdnsError::LongText));
        let bare = MdnsService { text: &[], ..WEB };
        assert_eq!(Service::new(&bare).unwrap().text[..], [0]);
    }
}
