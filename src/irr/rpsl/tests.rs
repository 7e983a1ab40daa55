//! Each kind of bad object beside its nearest good one, and a second parser that sees the same attributes.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::irr::source::SourceName;

fn radb() -> SourceName {
    "RADB".parse().unwrap()
}

/// Tells in a line what comes of an object.
fn told(text: &str) -> String {
    match check(text, &radb(), None) {
        Checked::Taken(object) => format!("{} {}", object.key.class, object.key.key),
        Checked::Unwanted(class) => format!("nobody wants {class}"),
        Checked::Leftover => "left behind".to_owned(),
        Checked::Rejected(rejected) => format!("! {}: {}", rejected.fault.label(), rejected.fault),
    }
}

/// Checks objects that end with their source.
fn all_told<const N: usize>(objects: [&str; N]) -> String {
    objects.map(|object| format!("{object:?} {}", told(&format!("{object}\nsource: RADB\n")))).join("\n")
}

#[test]
fn a_route_has_a_prefix_without_host_bits_and_an_origin() {
    insta::assert_snapshot!(all_told([
        "route: 192.0.2.0/24\norigin: AS64496",
        "ROUTE: 192.000.2.0/24 # ours\nOrigin:\n as064496",
        "route: 192.0.2.1/24\norigin: AS64496",
        "route: 192.0.2.0/33\norigin: AS64496",
        "route: 2001:db8::/48\norigin: AS64496",
        "route: 192.0.2.0/24, 198.51.100.0/24\norigin: AS64496",
        "route: 192.0.2.0/24\norigin: 64496",
        "route: 192.0.2.0/24\norigin: AS64496, AS64497",
        "route: 192.0.2.0/24\norigin: AS64496\norigin: AS64497",
        "route: 192.0.2.0/24\norigin: # AS64496",
        "route: 192.0.2.0/24",
        "route:\norigin: AS64496",
        "route6: 2001:DB8::/48\norigin: AS64496",
        "route6: 2001:db8::1/48\norigin: AS64496",
        "route6: 192.0.2.0/24\norigin: AS64496",
    ]), @r#"
    "route: 192.0.2.0/24\norigin: AS64496" route 192.0.2.0/24AS64496
    "ROUTE: 192.000.2.0/24 # ours\nOrigin:\n as064496" route 192.0.2.0/24AS64496
    "route: 192.0.2.1/24\norigin: AS64496" ! host-bits: the prefix "192.0.2.1/24" has bits set behind its length
    "route: 192.0.2.0/33\norigin: AS64496" ! bad-prefix: "192.0.2.0/33" is no prefix of this class
    "route: 2001:db8::/48\norigin: AS64496" ! bad-prefix: "2001:db8::/48" is no prefix of this class
    "route: 192.0.2.0/24, 198.51.100.0/24\norigin: AS64496" ! bad-prefix: "192.0.2.0/24, 198.51.100.0/24" is no prefix of this class
    "route: 192.0.2.0/24\norigin: 64496" ! bad-as-number: `origin` is "64496", which is no AS number
    "route: 192.0.2.0/24\norigin: AS64496, AS64497" ! bad-as-number: `origin` is "AS64496, AS64497", which is no AS number
    "route: 192.0.2.0/24\norigin: AS64496\norigin: AS64497" ! ambiguous: it has more than one `origin`
    "route: 192.0.2.0/24\norigin: # AS64496" ! missing-key: it has no `origin`, which is part of its key
    "route: 192.0.2.0/24" ! missing-key: it has no `origin`, which is part of its key
    "route:\norigin: AS64496" ! missing-key: it has no `route`, which is part of its key
    "route6: 2001:DB8::/48\norigin: AS64496" route6 2001:DB8::/48AS64496
    "route6: 2001:db8::1/48\norigin: AS64496" ! host-bits: the prefix "2001:db8::1/48" has bits set behind its length
    "route6: 192.0.2.0/24\norigin: AS64496" ! bad-prefix: "192.0.2.0/24" is no prefix of this class
    "#);
}

#[test]
fn every_class_has_a_key_of_its_form() {
    insta::assert_snapshot!(all_told([
        "as-block: AS64496-AS64511",
        "as-block: AS64511 - AS64496",
        "as-set: As64496:as-Customers",
        "as-set: AS64496:",
        "aut-num: as64496",
        "aut-num: AS4294967296",
        "domain: 2.0.192.in-addr.arpa",
        "domain:",
        "filter-set: fltr-a",
        "filter-set: fltr a",
        "inet-rtr: r1.example.net",
        "inet-rtr: r1..example.net",
        "inet6num: 2001:db8::/32",
        "inet6num: 2001:db8::",
        "inetnum: 192.0.2.0-192.0.2.255",
        "inetnum: 192.0.2.255 - 192.0.2.0",
        "irt: irt-a",
        "irt: irt a",
        "key-cert: pgpkey-80F238C6",
        "key-cert: 80F238C6",
        "mntner: maint-as64496",
        "mntner: maint/as64496",
        "organisation: org-a1-ripe",
        "organisation: -org",
        "peering-set: prng-a",
        "peering-set: 1",
        "person: Jane Doe\nnic-hdl: jd1 radb",
        "person: Jane Doe",
        "role: Routing\nnic-hdl: r\u{f6}1-radb",
        "role: Routing\nnic-hdl:",
        "route-set: rs-a",
        "route-set: rs-a:",
        "rtr-set: rtrs-a",
        "rtr-set: a",
    ]), @r#"
    "as-block: AS64496-AS64511" as-block AS64496 - AS64511
    "as-block: AS64511 - AS64496" ! bad-range: "AS64511 - AS64496" is no range of this class
    "as-set: As64496:as-Customers" as-set AS64496:AS-CUSTOMERS
    "as-set: AS64496:" ! bad-name: `as-set` names "AS64496:", which is no name of that kind
    "aut-num: as64496" aut-num AS64496
    "aut-num: AS4294967296" ! bad-as-number: `aut-num` is "AS4294967296", which is no AS number
    "domain: 2.0.192.in-addr.arpa" domain 2.0.192.IN-ADDR.ARPA
    "domain:" ! missing-key: it has no `domain`, which is part of its key
    "filter-set: fltr-a" filter-set FLTR-A
    "filter-set: fltr a" ! bad-name: `filter-set` names "fltr a", which is no name of that kind
    "inet-rtr: r1.example.net" inet-rtr R1.EXAMPLE.NET
    "inet-rtr: r1..example.net" ! bad-name: `inet-rtr` names "r1..example.net", which is no name of that kind
    "inet6num: 2001:db8::/32" inet6num 2001:DB8::/32
    "inet6num: 2001:db8::" ! bad-prefix: "2001:db8::" is no prefix of this class
    "inetnum: 192.0.2.0-192.0.2.255" inetnum 192.0.2.0 - 192.0.2.255
    "inetnum: 192.0.2.255 - 192.0.2.0" ! bad-range: "192.0.2.255 - 192.0.2.0" is no range of this class
    "irt: irt-a" irt IRT-A
    "irt: irt a" ! bad-name: `irt` names "irt a", which is no name of that kind
    "key-cert: pgpkey-80F238C6" key-cert PGPKEY-80F238C6
    "key-cert: 80F238C6" ! bad-name: `key-cert` names "80F238C6", which is no name of that kind
    "mntner: maint-as64496" mntner MAINT-AS64496
    "mntner: maint/as64496" ! bad-name: `mntner` names "maint/as64496", which is no name of that kind
    "organisation: org-a1-ripe" organisation ORG-A1-RIPE
    "organisation: -org" ! bad-name: `organisation` names "-org", which is no name of that kind
    "peering-set: prng-a" peering-set PRNG-A
    "peering-set: 1" ! bad-name: `peering-set` names "1", which is no name of that kind
    "person: Jane Doe\nnic-hdl: jd1 radb" person JD1 RADB
    "person: Jane Doe" ! missing-key: it has no `nic-hdl`, which is part of its key
    "role: Routing\nnic-hdl: rö1-radb" role RÖ1-RADB
    "role: Routing\nnic-hdl:" ! missing-key: it has no `nic-hdl`, which is part of its key
    "route-set: rs-a" route-set RS-A
    "route-set: rs-a:" ! bad-name: `route-set` names "rs-a:", which is no name of that kind
    "rtr-set: rtrs-a" rtr-set RTRS-A
    "rtr-set: a" ! bad-name: `rtr-set` names "a", which is no name of that kind
    "#);
}

#[test]
fn attributes_by_which_objects_are_looked_up_are_well_formed_and_may_be_missing() {
    insta::assert_snapshot!(all_told([
        "aut-num: AS1\nmnt-by: A-MNT, B-MNT,\n  C-MNT",
        "aut-num: AS1\nmnt-by: A MNT",
        "aut-num: AS1\nmember-of: AS-A, AS1:AS-B",
        "aut-num: AS1\nmember-of: AS_",
        "route6: 2001:db8::/48\norigin: AS1\nmember-of: RS-A",
        "route6: 2001:db8::/48\norigin: AS1\nmember-of: RS_",
        "as-set: AS-A\nmembers: AS1, AS-B, AS1:AS-C\nmbrs-by-ref: any",
        "as-set: AS-A\nmembers: AS1 AS2",
        "as-set: AS-A\nmbrs-by-ref: A.B",
        "route-set: RS-A\nmembers: 192.0.2.0/24^+, RS-B\nmp-members: 2001:db8::/32^48",
        "route-set: RS-A\nmembers: 2001:db8::/32",
        "route-set: RS-A\nmp-members: 2001:db8::1/32",
        "rtr-set: RTRS-A\nmembers: r1.example.net, RTRS-B\nmp-members: r2",
        "rtr-set: RTRS-A\nmembers: r1.",
        "rtr-set: RTRS-A\nmp-members: a b",
        "aut-num: AS1\nmembers: whatever\nadmin-c: J. Doe (noc)\nno-such-attribute: x",
    ]), @r#"
    "aut-num: AS1\nmnt-by: A-MNT, B-MNT,\n  C-MNT" aut-num AS1
    "aut-num: AS1\nmnt-by: A MNT" ! bad-name: `mnt-by` names "A MNT", which is no name of that kind
    "aut-num: AS1\nmember-of: AS-A, AS1:AS-B" aut-num AS1
    "aut-num: AS1\nmember-of: AS_" ! bad-name: `member-of` names "AS_", which is no name of that kind
    "route6: 2001:db8::/48\norigin: AS1\nmember-of: RS-A" route6 2001:DB8::/48AS1
    "route6: 2001:db8::/48\norigin: AS1\nmember-of: RS_" ! bad-name: `member-of` names "RS_", which is no name of that kind
    "as-set: AS-A\nmembers: AS1, AS-B, AS1:AS-C\nmbrs-by-ref: any" as-set AS-A
    "as-set: AS-A\nmembers: AS1 AS2" ! bad-name: `members` names "AS1 AS2", which is no name of that kind
    "as-set: AS-A\nmbrs-by-ref: A.B" ! bad-name: `mbrs-by-ref` names "A.B", which is no name of that kind
    "route-set: RS-A\nmembers: 192.0.2.0/24^+, RS-B\nmp-members: 2001:db8::/32^48" route-set RS-A
    "route-set: RS-A\nmembers: 2001:db8::/32" ! bad-name: `members` names "2001:db8::/32", which is no name of that kind
    "route-set: RS-A\nmp-members: 2001:db8::1/32" ! bad-name: `mp-members` names "2001:db8::1/32", which is no name of that kind
    "rtr-set: RTRS-A\nmembers: r1.example.net, RTRS-B\nmp-members: r2" rtr-set RTRS-A
    "rtr-set: RTRS-A\nmembers: r1." ! bad-name: `members` names "r1.", which is no name of that kind
    "rtr-set: RTRS-A\nmp-members: a b" ! bad-name: `mp-members` names "a b", which is no name of that kind
    "aut-num: AS1\nmembers: whatever\nadmin-c: J. Doe (noc)\nno-such-attribute: x" aut-num AS1
    "#);
}

#[test]
fn what_is_no_object_of_this_source_is_rejected_and_what_nobody_wants_is_not_told() {
    let route = "route: 192.0.2.0/24\norigin: AS64496";
    let told = [
        format!("{route}\nsource: radb # Merit\n"),
        format!("{route}\nsource: RIPE\n"),
        format!("{route}\nsource: RADB\nsource: RADB\n"),
        format!("{route}\nsource:\n"),
        format!("{route}\n"),
        format!("{route}\n%comment\nsource: RADB\n"),
        format!("{route}\nremarks : x\nsource: RADB\n"),
        "poem: POEM-A\nsource: RADB\n".to_owned(),
        "<html>\n<title>Not found: 404</title>\n".to_owned(),
        "Not found: the dump is gone\n".to_owned(),
        "*xxroute: 192.0.2.0/24\nsource: RADB\n".to_owned(),
        "xxroute: 192.0.2.0/24\nsource: RADB\n".to_owned(),
        String::new(),
    ]
    .map(|text| format!("{text:?} {}", told(&text)));
    insta::assert_snapshot!(told.join("\n"), @r#"
    "route: 192.0.2.0/24\norigin: AS64496\nsource: radb # Merit\n" route 192.0.2.0/24AS64496
    "route: 192.0.2.0/24\norigin: AS64496\nsource: RIPE\n" ! other-source: it belongs to the source "RIPE"
    "route: 192.0.2.0/24\norigin: AS64496\nsource: RADB\nsource: RADB\n" ! ambiguous: it has more than one `source`
    "route: 192.0.2.0/24\norigin: AS64496\nsource:\n" ! missing-source: it has no `source`
    "route: 192.0.2.0/24\norigin: AS64496\n" ! missing-source: it has no `source`
    "route: 192.0.2.0/24\norigin: AS64496\n%comment\nsource: RADB\n" ! malformed-attribute: the line "%comment" is no attribute
    "route: 192.0.2.0/24\norigin: AS64496\nremarks : x\nsource: RADB\n" ! malformed-attribute: the line "remarks : x" is no attribute
    "poem: POEM-A\nsource: RADB\n" ! unknown-class: no class "poem" is known
    "<html>\n<title>Not found: 404</title>\n" ! malformed-attribute: the line "<html>" is no attribute
    "Not found: the dump is gone\n" ! malformed-attribute: the line "Not found: the dump is gone" is no attribute
    "*xxroute: 192.0.2.0/24\nsource: RADB\n" left behind
    "xxroute: 192.0.2.0/24\nsource: RADB\n" ! unknown-class: no class "xxroute" is known
    "" ! malformed-attribute: the line "" is no attribute
    "#);
}

/// What is meant to differ from an IRRd is not in there: it knows classes in lower case only, takes a key that stands twice or
/// is empty, and reads numbers with signs, blanks and underscores in them.
#[test]
fn an_irrd_takes_the_same_objects_under_the_same_keys() {
    let source: SourceName = "TEST".parse().unwrap();
    let mut different = Vec::new();
    for line in include_str!("irrd.txt").lines().filter(|line| !line.starts_with('#')) {
        let (text, verdict) = line.rsplit_once(" => ").unwrap();
        let text = text.replace("\\n", "\n").replace("\\t", "\t");
        let ours = match check(&text, &source, None) {
            Checked::Taken(object) => format!("+{}", object.key.key),
            Checked::Rejected(_) | Checked::Leftover | Checked::Unwanted(_) => "-".to_owned(),
        };
        if ours != verdict {
            different.push(format!("{text:?}: IRRd {verdict}, ours {ours}"));
        }
    }
    assert_eq!(different, Vec::<String>::new());
}

#[test]
fn objects_of_classes_that_nobody_wants_are_not_looked_at() {
    let wanted = BTreeSet::from([Class::Route]);
    let checked = |text| check(text, &radb(), Some(&wanted));
    assert_eq!(checked("mntner: ?\n"), Checked::Unwanted(Class::Mntner));
    assert!(matches!(checked("route: ?\n"), Checked::Rejected(_)));
    assert!(matches!(checked("poem: ?\n"), Checked::Rejected(_)));
}

#[test]
fn what_is_to_be_deleted_may_have_no_more_than_its_key() {
    let deleted = |text| match check_deleted(text, &radb(), None) {
        Checked::Taken(object) => object.key.key,
        other @ (Checked::Unwanted(_) | Checked::Leftover | Checked::Rejected(_)) => format!("{other:?}"),
    };
    assert_eq!(deleted("route: 192.0.2.0/24\norigin: AS64496\n"), "192.0.2.0/24AS64496");
    assert_eq!(deleted("as-set: AS-A\nmembers: ???\n"), "AS-A");
    assert!(deleted("route: 192.0.2.0/24\n").contains("MissingKey"));
    assert!(deleted("aut-num: AS1\nsource: RIPE\n").contains("OtherSource"));
}

#[test]
fn text_is_kept_but_for_the_verdict_of_an_irrd() {
    let kept = |text: &str| {
        let Checked::Taken(object) = check(text, &radb(), None) else { panic!("{text:?}") };
        object.text
    };
    let route = "Route:\t192.0.2.0/24\nremarks:   a  # b \n \t\n+ c\norigin:as64496\nsource: radb\n";
    assert_eq!(kept(route), route);
    let with = "route: 192.0.2.0/24\norigin: AS1\nRPKI-ov-state: valid\n  # and more\nsource: RADB\nrpki-ov-state: x\n";
    assert_eq!(kept(with), "route: 192.0.2.0/24\norigin: AS1\nsource: RADB\n");
    let other = "aut-num: AS1\nrpki-ov-state: valid\nsource: RADB\n";
    assert_eq!(kept(other), other);
}

#[test]
fn a_rejected_object_is_shown_by_its_first_line_in_a_sentence() {
    let Checked::Rejected(rejected) = check(&format!("route: {}\nx", "9".repeat(1000)), &radb(), None) else {
        panic!()
    };
    insta::assert_snapshot!(rejected, @r#"the object that begins with "route: 9999999999999999999999999999999999999999999999999999999999999999999999999…" is left out: the line "x" is no attribute"#);
    let Checked::Rejected(rejected) = check("route: 192.0.2.1/24\norigin: AS1\nsource: RADB\n", &radb(), None) else {
        panic!()
    };
    insta::assert_snapshot!(rejected, @r#"the object that begins with "route: 192.0.2.1/24" is left out: the prefix "192.0.2.1/24" has bits set behind its length"#);
    assert_eq!(rejected.class, Some(Class::Route));
}

/// Lines of an attribute; those behind the first one go on with it.
fn attribute() -> impl Strategy<Value = (String, Vec<(char, String)>)> {
    // Both take blanks at the ends of a line for nothing.
    let line = || "[a-zA-Z0-9.:/,%#*+-][ -~]{0,20}[a-z0-9]|[a-z0-9]";
    let more = prop::collection::vec((prop::sample::select(vec![' ', '\t', '+']), line()), 0..3);
    ("[a-zA-Z][a-zA-Z0-9_-]{0,10}[a-z0-9]", line(), more).prop_map(|(name, first, more)| {
        let mut lines = vec![(':', first)];
        lines.extend(more);
        (name, lines)
    })
}

proptest! {
    #[test]
    fn another_parser_sees_the_same_attributes(object in prop::collection::vec(attribute(), 1..6)) {
        let lines = |(name, lines): &(String, Vec<(char, String)>)| {
            lines.iter().map(|(begin, line)| match begin {
                ':' => format!("{name}:  {line}\n"),
                begin => format!("{begin}  {line}\n"),
            }).collect::<String>()
        };
        let text: String = object.iter().map(lines).collect();
        let whole = format!("{text}\n");
        let theirs = ::rpsl::parse_object(&whole).unwrap();
        let theirs: Vec<(String, Vec<String>)> = theirs.iter()
            .map(|found| (found.name.to_string(), found.value.with_content().into_iter().map(str::to_owned).collect()))
            .collect();
        let ours: Vec<(String, Vec<String>)> = attributes(&text)
            .map(|found| {
                let found = found.unwrap();
                let value = found.raw().trim_end_matches('\n').split('\n').enumerate();
                let lines = value.map(|(at, line)| if at == 0 { line.trim() } else { line[1..].trim() }.to_owned());
                (found.name.to_owned(), lines.collect())
            })
            .collect();
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn a_dump_of_well_formed_routes_gives_them_back(third in 0u8.., origin in 0u32.., remark in "[ -~]{0,40}") {
        let text = format!("route: 192.0.{third}.0/24\nremarks: {remark}\norigin: AS{origin}\nsource: RADB\n");
        let dump = format!("{text}\n# comment\n{}", text.replace('\n', "\r\n"));
        let mut paragraphs = Paragraphs::new(dump.as_bytes());
        for _ in 0..2 {
            let Some(Paragraph::Text(read)) = paragraphs.next_paragraph().unwrap() else { panic!() };
            let Checked::Taken(object) = check(read, &radb(), None) else { panic!() };
            prop_assert_eq!(&object.text, &text);
            prop_assert_eq!(object.key.key, format!("192.0.{third}.0/24AS{origin}"));
        }
        prop_assert!(paragraphs.next_paragraph().unwrap().is_none());
    }
}
