//! The sources of the crate as a test reads them: which file names which other, and which types it defines.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Module paths such as `["queue", "redis"]`.
type ModulePath = Vec<String>;
/// Names that point at the names which they know.
pub(crate) type Graph = BTreeMap<String, BTreeSet<String>>;

/// A source file.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path below `src`, such as `queue/mod.rs`.
    pub(crate) file: String,
    /// The folder or file directly under `src` that it belongs to.
    pub(crate) room: String,
    module: ModulePath,
    /// The code without comments and without what stands in texts.
    code: String,
    /// The names that it imports, each with its path.
    imports: BTreeMap<String, Vec<String>>,
}

/// All sources, without `lib.rs` and `main.rs`, which put the rooms together.
#[derive(Debug)]
pub(crate) struct Sources(pub(crate) Vec<Source>);

impl Sources {
    pub(crate) fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut sources = Vec::new();
        for path in files_below(&root) {
            let file = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            if file != "lib.rs" && file != "main.rs" {
                sources.push(Source::new(file, &fs::read_to_string(&path).unwrap()));
            }
        }
        Self(sources)
    }

    /// Returns the files that a file names: in all of its code, or outside of its tests.
    pub(crate) fn named_by(&self, source: &Source, with_tests: bool) -> Vec<&Source> {
        let code = if with_tests { source.code.clone() } else { without_tests(&source.code) };
        let paths = imported(&code).into_values().chain(inline_paths(&code));
        let mut named: Vec<&Source> = paths.filter_map(|path| self.resolve(&source.module, &path, 0)).collect();
        named.retain(|other| other.file != source.file);
        named
    }

    /// Returns the file that a path leads to, through what the files on its way import from others.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<&Source> {
        let absolute = self.absolute(from, path)?;
        let at = |length: usize| self.0.iter().find(|source| source.module == absolute[..length]);
        let (length, source) = (1..=absolute.len()).rev().find_map(|length| Some((length, at(length)?)))?;
        let passed_on = absolute.get(length).and_then(|item| source.imports.get(item)).filter(|_| depth < 10);
        passed_on.and_then(|path| self.resolve(&source.module, path, depth + 1)).or(Some(source))
    }

    /// Returns the path from the root of the crate on; `None` for a path into another crate.
    fn absolute(&self, from: &[String], path: &[String]) -> Option<Vec<String>> {
        let mut start = from.to_vec();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => (start, rest) = (Vec::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    (_, rest) = (start.pop(), &rest[1..]);
                }
            }
            child => {
                let module = [from, &[child.to_owned()]].concat();
                self.0.iter().find(|source| source.module == module)?;
            }
        }
        start.extend(rest.iter().cloned());
        Some(start)
    }
}

impl Source {
    pub(crate) fn new(file: String, text: &str) -> Self {
        let module: ModulePath = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        let module = module.into_iter().filter(|name| name != "mod").collect::<Vec<_>>();
        let code = without_comments(text);
        Self { room: module[0].clone(), imports: imported(&code), code, module, file }
    }

    /// Returns whether it holds nothing but tests.
    pub(crate) fn is_test(&self) -> bool {
        self.module.iter().any(|name| name == "tests")
    }

    /// Returns the module, such as `queue::redis`.
    pub(crate) fn module(&self) -> String {
        self.module.join("::")
    }

    /// Returns the names of the types that it defines outside of its tests.
    pub(crate) fn types(&self) -> Vec<String> {
        let code = without_tests(&self.code);
        let item = |line: &str| -> Option<String> {
            let public = line.strip_prefix("pub").and_then(|rest| rest.split_once(' '));
            let (kind, rest) = public.map_or(line, |(_, rest)| rest).split_once(' ')?;
            let name = rest.split(|letter: char| !letter.is_alphanumeric()).next()?;
            ["struct", "enum", "trait", "type"].contains(&kind).then(|| name.to_owned())
        };
        code.lines().filter_map(item).collect()
    }
}

pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Returns the code without comments, and without what stands in texts.
fn without_comments(text: &str) -> String {
    let (mut code, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(['/', '"', '\'']) {
        code.push_str(&rest[..at]);
        rest = &rest[at..];
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with('"') {
            let hashes = code.len() - code.trim_end_matches('#').len();
            let raw = code[..code.len() - hashes].ends_with('r');
            if raw { end_of_raw_text(rest, hashes) } else { end_of_text(rest) }
        } else {
            end_of_letter(rest)
        };
        rest = &rest[skipped..];
    }
    code + rest
}

fn end_of_raw_text(text: &str, hashes: usize) -> usize {
    let end = format!("\"{}", "#".repeat(hashes));
    text[1..].find(&end).map_or(text.len(), |at| 1 + at + end.len())
}

fn end_of_text(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        if letter == '"' && !escaped {
            return at + 1;
        }
        escaped = letter == '\\' && !escaped;
    }
    text.len()
}

/// Returns the length of a letter such as `'a'`; 1 for a slash, and for the tick of a lifetime.
fn end_of_letter(text: &str) -> usize {
    if text.starts_with("'\\") {
        return text[3..].find('\'').map_or(text.len(), |at| at + 4);
    }
    let mut letters = text.char_indices().skip(1);
    let is_letter = text.starts_with('\'') && letters.nth(1).is_some_and(|(_, letter)| letter == '\'');
    if is_letter { text[1..].find('\'').map_or(1, |at| at + 2) } else { 1 }
}

/// Returns the code without its modules of tests.
fn without_tests(code: &str) -> String {
    let mut left = String::new();
    let mut rest = code;
    while let Some((before, behind)) = rest.split_once("#[cfg(test)]\nmod ") {
        left.push_str(before);
        rest = match behind.split_once(['{', ';']) {
            Some((name, _)) if behind[name.len()..].starts_with('{') => &behind[end_of_block(behind)..],
            Some((_, behind)) => behind,
            None => "",
        };
    }
    left + rest
}

/// Returns the place at which the first block of a text ends.
fn end_of_block(text: &str) -> usize {
    let mut depth = 0;
    for (at, letter) in text.char_indices() {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        if letter == '}' && depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

/// Returns the names that `use` brings in, each with its path.
pub(crate) fn imported(code: &str) -> BTreeMap<String, Vec<String>> {
    let mut names = BTreeMap::new();
    code.split(';').filter_map(import).for_each(|(_, tree)| flatten(&[], tree, &mut names));
    names
}

/// Splits a statement that ends in an import into the code before it and the tree of the import.
fn import(statement: &str) -> Option<(&str, &str)> {
    let (before, tree) = statement.rsplit_once("use ")?;
    let begins = before.is_empty() || before.ends_with(char::is_whitespace);
    let fits = |letter: char| letter.is_alphanumeric() || letter.is_whitespace() || "_:{},*".contains(letter);
    (begins && tree.chars().all(fits)).then_some((before, tree))
}

/// Takes a tree of imports apart.
fn flatten(before: &[String], tree: &str, names: &mut BTreeMap<String, Vec<String>>) {
    let (head, group) = match tree.trim().split_once('{') {
        Some((head, group)) => (head, group.strip_suffix('}')),
        None => (tree.trim(), None),
    };
    let (head, renamed) = head.split_once(" as ").map_or((head, None), |(head, name)| (head, Some(name.trim())));
    let segments = head.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    let mut path: Vec<String> = before.iter().cloned().chain(segments).collect();
    if let Some(group) = group {
        return members(group).into_iter().for_each(|member| flatten(&path, member, names));
    }
    if path.len() > 1 && path.last().is_some_and(|name| name == "self") {
        path.pop();
    }
    // A glob or a `_` names nothing by which it could be passed on, but is an import all the same.
    let name = renamed.unwrap_or_else(|| path.last().map_or("", String::as_str)).to_owned();
    let name = if name == "*" || name == "_" { path.join("::") } else { name };
    names.insert(name, path);
}

/// Returns the members of a group, which may be groups themselves.
fn members(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut members) = (0, 0, Vec::new());
    for (at, letter) in group.char_indices() {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        if letter == ',' && depth == 0 {
            members.push(&group[start..at]);
            start = at + 1;
        }
    }
    members.push(&group[start..]);
    members.retain(|member| !member.trim().is_empty());
    members
}

/// Returns the paths that stand in the code itself; those into other crates among them lead nowhere.
fn inline_paths(code: &str) -> Vec<Vec<String>> {
    let statements = code.split(';').map(|statement| import(statement).map_or(statement, |(before, _)| before));
    let words = statements
        .flat_map(|statement| statement.split(|letter: char| !letter.is_alphanumeric() && !"_:".contains(letter)));
    let words = words.map(|word| word.trim_matches(':')).filter(|word| !word.is_empty());
    let after = |(before, word): (&str, &str)| (before != "in" && word.contains("::")).then(|| word.to_owned());
    // The path behind `pub(in ..)` says who may see something, and imports nothing.
    let befores = std::iter::once("").chain(words.clone());
    let paths = befores.zip(words).filter_map(after);
    paths.map(|path| path.split("::").map(str::to_owned).collect()).collect()
}

/// Returns the groups of names that lead to each other in a circle.
pub(crate) fn circles(graph: &Graph) -> Vec<BTreeSet<String>> {
    let reach = |from: &String| {
        let mut reached: BTreeSet<String> = BTreeSet::new();
        let mut next: Vec<&String> = graph.get(from).into_iter().flatten().collect();
        while let Some(name) = next.pop() {
            if reached.insert(name.clone()) {
                next.extend(graph.get(name).into_iter().flatten());
            }
        }
        reached
    };
    let reached: BTreeMap<&String, BTreeSet<String>> = graph.keys().map(|name| (name, reach(name))).collect();
    let circle = |name: &String| -> BTreeSet<String> {
        let back = |other: &String| reached.get(other).is_some_and(|names| names.contains(name));
        reached[name].iter().filter(|other| back(other)).cloned().collect()
    };
    let found: BTreeSet<BTreeSet<String>> = graph.keys().map(circle).filter(|names| !names.is_empty()).collect();
    found.into_iter().collect()
}
