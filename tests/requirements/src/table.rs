//! The requirements as they are written down: one TOML file for each RFC.

use std::fmt;
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// What one RFC asks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Its number.
    pub rfc: u16,
    /// Its title.
    pub title: String,
    /// Its requirements, in their order.
    #[serde(rename = "requirement")]
    pub entries: Vec<Entry>,
}

/// One requirement.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// RFC 9293 numbers its requirements itself (`MUST-5`). Those of other RFCs are named after their
    /// section, with a letter for each sentence in it (`3.2b`).
    pub id: String,
    /// The section; in other RFCs than 9293 part of `id`.
    pub section: Option<String>,
    /// How strong it is.
    pub level: Level,
    /// The sentence, abridged where it is long.
    pub text: String,
    /// Why no test holds it.
    pub exception: Option<String>,
    /// What makes its test fail.
    pub mutation: Option<Mutation>,
}

/// How strong a requirement is (RFC 2119).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Level {
    /// MUST.
    #[serde(rename = "MUST")]
    Must,
    /// MUST NOT.
    #[serde(rename = "MUST NOT")]
    MustNot,
    /// SHOULD or RECOMMENDED.
    #[serde(rename = "SHOULD")]
    Should,
    /// SHOULD NOT.
    #[serde(rename = "SHOULD NOT")]
    ShouldNot,
}

/// A small fault in the code.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutation {
    /// The file, from the root of the workspace on.
    pub file: String,
    /// What stands there, exactly once.
    pub from: String,
    /// What takes its place.
    pub to: String,
}

/// Which requirement of which RFC.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequirementId {
    /// The RFC's number.
    pub rfc: u16,
    /// As in [`Entry::id`].
    pub id: String,
}

impl Document {
    /// Reads all tables, in the order of their RFCs' numbers.
    ///
    /// # Errors
    ///
    /// What is wrong with a file, and with which.
    pub fn read_all(directory: &Path) -> Result<Vec<Self>, String> {
        let entries = fs::read_dir(directory).map_err(|error| error.to_string())?;
        let mut documents = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| error.to_string())?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let is_table = name.is_some_and(|n| n.starts_with("rfc") && n.ends_with(".toml"));
            if is_table {
                let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
                let document: Self = toml::from_str(&text)
                    .map_err(|error| format!("{}: {error}", path.display()))?;
                documents.push(document);
            }
        }
        documents.sort_by_key(|document| document.rfc);
        Ok(documents)
    }
}

impl fmt::Display for RequirementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RFC {} {}", self.rfc, self.id)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Must => "MUST",
            Self::MustNot => "MUST NOT",
            Self::Should => "SHOULD",
            Self::ShouldNot => "SHOULD NOT",
        })
    }
}
