//! The stack's sources, parsed: each file, and the paths in it as written from the crate's root.

use std::fs;
use std::path::{Path as FilePath, PathBuf};

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, UseTree};

/// One source file.
pub(crate) struct Source {
    /// Relative to `stack/src`.
    pub(crate) path: PathBuf,
    /// The module that the file is, from the crate's root: `["engine", "tcp"]`.
    pub(crate) module: Vec<String>,
    pub(crate) syntax: syn::File,
}

impl Source {
    /// The module right under the crate's root that the file belongs to; `None` for `lib.rs`.
    pub(crate) fn layer(&self) -> Option<&str> {
        self.module.first().map(String::as_str)
    }

    /// How a report names a place in it.
    pub(crate) fn place(&self, line: usize) -> String {
        format!("stack/src/{}:{line}", self.path.display())
    }

    /// Every path in it outside of tests, as if written from the crate's root, with its line.
    pub(crate) fn paths(&self) -> Vec<(Vec<String>, usize)> {
        let mut paths = Paths {
            module: self.module.clone(),
            found: Vec::new(),
        };
        paths.visit_file(&self.syntax);
        paths.found
    }
}

/// The stack without its tests.
pub(crate) fn stack() -> Vec<Source> {
    let root = workspace().join("stack/src");
    let mut sources = Vec::new();
    read_folder(&root, &root, &mut sources);
    assert!(sources.len() > 50, "the stack has moved");
    sources
}

/// The workspace's root.
pub(crate) fn workspace() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read_folder(root: &FilePath, folder: &FilePath, sources: &mut Vec<Source>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a folder that can be read").path())
        .collect();
    entries.sort();
    for path in entries {
        // By the house's custom `foo/tests.rs` and `foo/tests/` hold the tests of `foo.rs`.
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            read_folder(root, &path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(read_file(root, &path));
        }
    }
}

fn read_file(root: &FilePath, path: &FilePath) -> Source {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let syntax = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let path = path
        .strip_prefix(root)
        .expect("it was found under the root");
    let mut module: Vec<_> = path
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    module.pop_if(|last| last == "mod" || last == "lib");
    Source {
        path: path.to_path_buf(),
        module,
        syntax,
    }
}

/// Whether something is there only for tests.
pub(crate) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}

/// The attributes of an item, of those kinds that tests are made of.
pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Collects paths, and knows the module it is in.
struct Paths {
    module: Vec<String>,
    found: Vec<(Vec<String>, usize)>,
}

impl Paths {
    /// Notes a path if it says where it starts: at the root, above, or in another crate.
    fn note(&mut self, segments: Vec<String>, line: usize) {
        let mut segments = segments.into_iter().peekable();
        let mut absolute = match segments.peek().map(String::as_str) {
            Some("crate") => {
                segments.next();
                vec!["crate".to_string()]
            }
            Some("super" | "self") => {
                let mut module = self.module.clone();
                while let Some(up) = segments.next_if(|s| s == "super" || s == "self") {
                    if up == "super" {
                        module.pop();
                    }
                }
                module.insert(0, "crate".to_string());
                module
            }
            _ => Vec::new(),
        };
        absolute.extend(segments);
        self.found.push((absolute, line));
    }

    fn note_tree(&mut self, prefix: &[String], tree: &UseTree) {
        let with = |name: &dyn ToString| [prefix, &[name.to_string()]].concat();
        let line = tree.span().start().line;
        match tree {
            UseTree::Path(path) => self.note_tree(&with(&path.ident), &path.tree),
            UseTree::Name(name) => self.note(with(&name.ident), line),
            UseTree::Rename(rename) => self.note(with(&rename.ident), line),
            UseTree::Glob(_) => self.note(prefix.to_vec(), line),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_tree(prefix, tree);
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_for_tests(attributes(item)) {
            return;
        }
        match item {
            Item::Mod(module) => {
                self.module.push(module.ident.to_string());
                visit::visit_item(self, item);
                self.module.pop();
            }
            Item::Use(item) => self.note_tree(&[], &item.tree),
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if !matches!(item, ImplItem::Fn(function) if is_for_tests(&function.attrs)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let segments = path.segments.iter().map(|s| s.ident.to_string()).collect();
            self.note(segments, path.span().start().line);
        }
        visit::visit_path(self, path);
    }
}
