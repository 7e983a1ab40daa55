//! The one-way street: which part of the crate may know which other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Known to anyone.
const LEAVES: [&str; 7] = ["error_chain", "hex", "model", "retry", "telemetry", "tls", "config"];

/// What each part may know besides the leaves. `model` knows nobody.
const ALLOWED: [(&str, &[&str]); 17] = [
    ("model", &[]),
    ("config", &[]),
    ("error_chain", &[]),
    ("retry", &[]),
    ("telemetry", &[]),
    ("tls", &[]),
    ("arin", &[]),
    ("netbox", &[]),
    ("sandbox", &[]),
    ("sync", &["arin", "netbox"]),
    ("queue", &[]),
    ("services", &["arin", "netbox", "queue", "sync"]),
    ("hex", &[]),
    ("worker", &["arin", "netbox", "queue", "services", "sync"]),
    ("scheduler", &["netbox", "queue", "services", "sync"]),
    // It asks NetBox who a caller is.
    ("http", &["netbox", "queue", "scheduler", "services", "sync"]),
    ("cli", &["arin", "http", "netbox", "queue", "sandbox", "scheduler", "services", "sync", "worker"]),
];

#[test]
fn every_import_follows_the_one_way_street() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.into_iter().collect();
    let mut wrong = Vec::new();
    for (file, part) in files() {
        let may = allowed.get(part.as_str()).unwrap_or_else(|| panic!("{part} has no place in the layers yet"));
        for known in imports(&fs::read_to_string(&file).unwrap()) {
            let leaf = part != "model" && LEAVES.contains(&known.as_str());
            if known != part && !leaf && !may.contains(&known.as_str()) {
                wrong.push(format!("{} knows {known}", file.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn all_forms_of_imports_are_read() {
    let text = "use crate::{\n    arin::{self, Client},\n    model::Net, retry,\n};\nfn f() { crate::sync::run() }";
    assert_eq!(imports(text), BTreeSet::from(["arin", "model", "retry", "sync"].map(str::to_owned)));
}

/// All source files with the part of the crate each belongs to; `main.rs` and `lib.rs` put the parts together.
fn files() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(&root).unwrap().to_owned();
                let part = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
                files.push((path, part));
            }
        }
    }
    files.retain(|(_, part)| part != "main" && part != "lib");
    assert!(files.len() > 50, "the walk has found the sources");
    files
}

/// The parts of the crate that a text names, as `crate::part` or in a group behind `crate::`.
fn imports(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for rest in text.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            None => drop(names.insert(word(rest))),
            Some(group) => names.extend(members(group)),
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first words of a group's members, up to its closing brace.
fn members(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut members) = (0_i32, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                members.push(word(group[start..at].trim_start()));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                members.push(word(group[start..at].trim_start()));
                start = at + 1;
            }
            _ => {}
        }
    }
    members.retain(|member| !member.is_empty());
    members
}
