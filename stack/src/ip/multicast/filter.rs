//! Which sources of a group are wanted (RFC 3376, sections 2 and 3).

use cygnet_config::MULTICAST_SOURCE_COUNT;
use heapless::Vec;

use crate::wire::IpAddress;

/// A filter mode and its list of sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    mode: Mode,
    sources: Vec<IpAddress, MULTICAST_SOURCE_COUNT>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Only the sources in the list.
    Include,
    /// All but the sources in the list.
    Exclude,
}

/// The list is longer than `MULTICAST_SOURCE_COUNT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooManySources;

impl Filter {
    /// No source at all: the group is not joined.
    pub(crate) const NOTHING: Self = Self {
        mode: Mode::Include,
        sources: Vec::new(),
    };

    /// Every source.
    pub(crate) const ALL: Self = Self {
        mode: Mode::Exclude,
        sources: Vec::new(),
    };

    pub(crate) fn only(sources: &[IpAddress]) -> Result<Self, TooManySources> {
        Self::new(Mode::Include, sources.iter().copied())
    }

    pub(crate) fn all_but(sources: &[IpAddress]) -> Result<Self, TooManySources> {
        Self::new(Mode::Exclude, sources.iter().copied())
    }

    fn new(mode: Mode, sources: impl Iterator<Item = IpAddress>) -> Result<Self, TooManySources> {
        let mut list = Vec::new();
        for source in sources {
            if !list.contains(&source) {
                list.push(source).map_err(|_| TooManySources)?;
            }
        }
        Ok(Self {
            mode,
            sources: list,
        })
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn sources(&self) -> impl Iterator<Item = IpAddress> + '_ {
        self.sources.iter().copied()
    }

    pub(crate) fn names(&self, source: IpAddress) -> bool {
        self.sources.contains(&source)
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.mode == Mode::Include && self.sources.is_empty()
    }

    pub(crate) fn allows(&self, source: IpAddress) -> bool {
        self.names(source) == (self.mode == Mode::Include)
    }

    /// What is wanted by all together (RFC 3376, section 3.2): where somebody excludes sources, all but those
    /// that every such excludes and nobody includes; else every source that somebody includes. Sources too many
    /// to list count as all.
    pub(crate) fn merge<'a>(filters: impl Iterator<Item = &'a Self> + Clone) -> Self {
        let is_excluding = |filter: &&Self| filter.mode == Mode::Exclude;
        let Some(first) = filters.clone().find(is_excluding) else {
            let sources = filters.flat_map(Self::sources);
            return Self::new(Mode::Include, sources).unwrap_or(Self::ALL);
        };
        let is_unwanted = |source: &IpAddress| !filters.clone().any(|f| f.allows(*source));
        Self::new(Mode::Exclude, first.sources().filter(is_unwanted)).unwrap_or(Self::ALL)
    }
}
