//! The one-way street: which part of the crate may know which other, and how files of one room may know each other.
//!
//! A room is a folder or a file directly under `src`.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{Graph, Source, Sources, circles, imported};

/// The rooms that any other may know. `model` itself knows no other.
const LEAVES: [&str; 13] = [
    "config",
    "deadline",
    "error_chain",
    "fuzzing",
    "hex",
    "http_client",
    "model",
    "rate",
    "retry",
    "shell_word",
    "supervise",
    "telemetry",
    "tls",
];

/// The rooms that each room may know besides the leaves; of a room that is named with a module, that module only.
const ALLOWED: [(&str, &[&str]); 30] = [
    ("config", &[]),
    ("deadline", &[]),
    ("error_chain", &[]),
    ("fuzzing", &[]),
    ("hex", &[]),
    ("http_client", &[]),
    ("model", &[]),
    ("rate", &[]),
    ("retry", &[]),
    ("shell_word", &[]),
    ("supervise", &[]),
    ("telemetry", &[]),
    ("tls", &[]),
    ("outbound", &[]),
    ("redis_client", &[]),
    ("arin", &["outbound"]),
    ("netbox", &["outbound"]),
    ("sync", &["arin", "netbox"]),
    ("findings", &["netbox"]),
    // A draft is made by the rules that the findings are judged by: who is assigned what, which address, which names.
    ("requests", &["arin", "findings", "netbox"]),
    ("queue", &["redis_client"]),
    ("irr", &["outbound", "redis_client"]),
    ("routing", &["irr", "netbox"]),
    ("coordination", &["redis_client"]),
    ("intake", &["netbox::changes", "queue"]),
    ("services", &["arin", "coordination", "irr", "netbox", "queue", "redis_client", "sync"]),
    // The limit that all workers share is a limit of the client of ARIN; the error is the queue's.
    (
        "worker",
        &[
            "arin",
            "coordination",
            "findings",
            "intake",
            "irr",
            "netbox",
            "queue",
            "redis_client::error",
            "requests",
            "routing",
            "services",
            "sync",
        ],
    ),
    ("scheduler", &["coordination", "findings", "intake", "netbox", "queue", "requests", "services", "sync"]),
    // It shows when a config is due and what is sent to ARIN word for word, and quotes what a request said wrongly.
    (
        "http",
        &[
            "arin::write",
            "coordination",
            "findings",
            "intake",
            "irr",
            "netbox",
            "outbound::excerpt",
            "queue",
            "requests",
            "scheduler::schedule",
            "services",
            "sync",
        ],
    ),
    // It says of each error what to do about it.
    (
        "cli",
        &[
            "arin",
            "coordination",
            "findings",
            "http",
            "irr",
            "netbox",
            "outbound",
            "queue",
            "redis_client",
            "requests",
            "routing",
            "scheduler",
            "services",
            "sync",
            "worker",
        ],
    ),
];

/// Types that may bear the name of another one in their room, and why.
const SAME_NAME: [(&str, &str, &str); 1] =
    [("cli", "Args", "each command has its own, which is read with its module: `sync::Args`")];

#[test]
fn every_import_follows_the_one_way_street() {
    let sources = Sources::read();
    assert!(sources.0.len() > 50, "the sources are found");
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.into_iter().collect();
    let mut wrong = BTreeSet::new();
    for source in &sources.0 {
        let room = source.room.as_str();
        let may = allowed.get(room).unwrap_or_else(|| panic!("{room} has no place in the layers yet"));
        for known in sources.named_by(source, true) {
            let leaf = room != "model" && LEAVES.contains(&known.room.as_str());
            let inside =
                |name: &&str| known.room == **name || format!("{}::", known.module()).starts_with(&format!("{name}::"));
            if known.room != room && !leaf && !may.iter().any(inside) {
                wrong.insert(format!("{} knows {}", source.file, known.module()));
            }
        }
    }
    assert_eq!(wrong, BTreeSet::new());
}

#[test]
fn no_two_rooms_know_each_other_in_a_circle() {
    let sources = Sources::read();
    let mut rooms = Graph::new();
    for source in sources.0.iter().filter(|source| !source.is_test()) {
        let others = sources.named_by(source, false).into_iter().map(|known| known.room.clone());
        rooms.entry(source.room.clone()).or_default().extend(others.filter(|room| *room != source.room));
    }
    assert_eq!(circles(&rooms), Vec::<BTreeSet<String>>::new());
}

#[test]
fn no_two_files_of_a_room_know_each_other_in_a_circle() {
    let sources = Sources::read();
    let mut rooms: BTreeMap<&str, Graph> = BTreeMap::new();
    for source in sources.0.iter().filter(|source| !source.is_test()) {
        let others = sources.named_by(source, false).into_iter().filter(|known| known.room == source.room);
        let others = others.map(|known| known.file.clone()).collect();
        rooms.entry(&source.room).or_default().insert(source.file.clone(), others);
    }
    let arrows = |graph: &Graph, circle: &BTreeSet<String>| -> Graph {
        circle.iter().map(|file| (file.clone(), graph[file].intersection(circle).cloned().collect())).collect()
    };
    let found: Vec<Graph> =
        rooms.values().flat_map(|graph| circles(graph).into_iter().map(|circle| arrows(graph, &circle))).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_name_of_a_type_stands_twice_in_a_room() {
    let mut types: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for source in Sources::read().0.iter().filter(|source| !source.is_test()) {
        for name in source.types() {
            types.entry((source.room.clone(), name)).or_default().push(source.file.clone());
        }
    }
    types.retain(|_, files| files.len() > 1);
    for (room, name, _) in SAME_NAME {
        assert!(types.remove(&(room.to_owned(), name.to_owned())).is_some(), "{room} has only one {name}");
    }
    assert!(types.is_empty(), "{types:#?}");
}

#[test]
fn the_tour_of_the_crate_names_every_room() {
    let text = include_str!("../../src/lib.rs");
    let rooms = text.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "));
    let tour: String = text.lines().filter(|line| line.starts_with("//!")).collect();
    let missing: Vec<&str> =
        rooms.map(|room| room.trim_end_matches(';')).filter(|room| !tour.contains(&format!("`{room}`"))).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

/// The simulated systems must not agree with a mistake of the clients, so they share no code with them.
#[test]
fn the_sandbox_depends_on_nothing_of_the_service() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/sandbox/Cargo.toml");
    let manifest: toml::Table = std::fs::read_to_string(manifest).unwrap().parse().unwrap();
    let tables = manifest.iter().filter(|(name, _)| name.ends_with("dependencies"));
    let crates: Vec<&String> = tables.flat_map(|(_, table)| table.as_table().unwrap().keys()).collect();
    assert!(!crates.is_empty() && !crates.iter().any(|name| name.contains("sidecar")), "{crates:?}");
}

#[test]
fn all_forms_of_imports_are_read() {
    let text =
        "pub(super) use crate::{\n    arin::{self, Client},\n    model::Net as Range, retry,\n};\nuse super::a::*;";
    let paths = imported(text).into_values().map(|path| path.join("::")).collect::<BTreeSet<_>>();
    let all = ["crate::arin", "crate::arin::Client", "crate::model::Net", "crate::retry", "super::a::*"];
    assert_eq!(paths, BTreeSet::from(all.map(str::to_owned)));
}

#[test]
fn a_circle_is_found_through_what_a_parent_passes_on() {
    let source = |file: &str, text: &str| Source::new(file.to_owned(), text);
    let sources = Sources(vec![
        source("room/mod.rs", "mod a;\nmod b;\npub use a::A;\nfn f() { b::run() }"),
        source("room/a.rs", "use super::B;\npub struct A; // super::C"),
        source("room/b.rs", "use super::A;\n#[cfg(test)]\nmod tests {\n    use crate::room::D;\n}"),
    ]);
    let named = |place: usize| {
        let known = sources.named_by(&sources.0[place], false).into_iter().map(|known| known.file.as_str());
        known.collect::<BTreeSet<_>>()
    };
    assert_eq!(named(0), BTreeSet::from(["room/a.rs", "room/b.rs"]));
    assert_eq!(named(1), BTreeSet::from(["room/mod.rs"]));
    assert_eq!(named(2), BTreeSet::from(["room/a.rs"]));
    let graph =
        (0..3).map(|place| (sources.0[place].file.clone(), named(place).into_iter().map(str::to_owned).collect()));
    let circle = BTreeSet::from(["room/a.rs", "room/b.rs", "room/mod.rs"].map(str::to_owned));
    assert_eq!(circles(&graph.collect()), [circle]);
}
