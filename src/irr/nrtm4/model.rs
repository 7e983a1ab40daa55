//! Holds [`decide`] against a simple model of a server: whatever an honest one does and whatever gets lost on the way, a mirror
//! has what the server had at that version, and in the end all of it. A history that is rewritten before its eyes is
//! refused, and it keeps what it has.

use std::collections::HashMap;

use proptest::prelude::*;

use super::{
    fixtures::{notification, source},
    *,
};

/// A server. A version is the list of what was changed up to it, so that equal lists are equal objects.
struct Server {
    session: u64,
    changes: Vec<u64>,
    snapshot: usize,
    /// The first delta that is listed.
    oldest: usize,
    /// What files hold, by hash: as a real server keeps old files for a while, this one keeps them for ever.
    files: HashMap<[u8; 32], Vec<u64>>,
    next_change: u64,
}

struct Follower {
    local: Option<Local>,
    objects: Vec<u64>,
}

#[derive(Debug, Clone)]
enum Event {
    Change,
    Snapshot,
    /// Deltas that the snapshot does not need leave the list, but for so many.
    Expire(usize),
    NewSession,
    /// The mirror asks, and gets so many of the files that it wants.
    Poll(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Change),
        1 => Just(Event::Snapshot),
        1 => (0_usize..4).prop_map(Event::Expire),
        1 => Just(Event::NewSession),
        4 => (0_usize..5).prop_map(Event::Poll),
    ]
}

impl Server {
    fn new() -> Self {
        Self { session: 1, changes: vec![0], snapshot: 1, oldest: 2, files: HashMap::new(), next_change: 1 }
    }

    fn change(&mut self) -> u64 {
        self.next_change += 1;
        self.next_change
    }

    fn expire(&mut self, keep: usize) {
        self.oldest = self.oldest.max((self.snapshot + 1).saturating_sub(keep));
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Change => {
                let change = self.change();
                self.changes.push(change);
            }
            Event::Snapshot => self.snapshot = self.changes.len(),
            Event::Expire(keep) => self.expire(*keep),
            Event::NewSession => {
                self.session += 1;
                let change = self.change();
                self.changes = vec![change];
                (self.snapshot, self.oldest) = (1, 2);
            }
            Event::Poll(_) => {}
        }
    }

    /// Publishes an index, and keeps the files that it names.
    fn index(&mut self) -> Index {
        let session = format!("00000000-0000-4000-8000-{:012}", self.session);
        let version = self.changes.len() as u64;
        let mut payload = notification(&session, version, self.snapshot as u64, self.oldest as u64..);
        let mut publish = |kind: &str, content: &[u64]| {
            let hash = Sha256Hash::of(format!("{session} {kind} {content:?}").as_bytes());
            self.files.insert(hash.0, content.to_vec());
            hash.to_string()
        };
        payload["snapshot"]["hash"] = publish("snapshot", &self.changes[..self.snapshot]).into();
        for delta in payload["deltas"].as_array_mut().unwrap() {
            let version = delta["version"].as_u64().unwrap() as usize;
            delta["hash"] = publish("delta", &self.changes[version - 1..version]).into();
        }
        read_index(payload.to_string().as_bytes(), &source()).unwrap()
    }
}

impl Follower {
    /// Does what is decided, as far as files come; returns the step.
    fn poll(&mut self, server: &mut Server, mut files: usize) -> Step {
        let index = server.index();
        let step = decide(self.local.as_ref(), &index, index.timestamp).step;
        self.local = self.local.as_ref().map(|local| local.seen(&index));
        let mut fetch = |file: &FileRef| {
            files = files.checked_sub(1)?;
            Some(server.files[&file.hash.0].clone())
        };
        match &step {
            Step::Nothing | Step::Refuse(_) => {}
            Step::Snapshot(file, _) => {
                if let Some(objects) = fetch(file) {
                    (self.objects, self.local) = (objects, Some(Local::loaded(&index)));
                }
            }
            Step::Deltas(deltas) => {
                for delta in deltas {
                    let Some(change) = fetch(delta) else { break };
                    self.objects.extend(change);
                    self.local = self.local.as_ref().map(|local| local.applied(delta.version));
                }
            }
        }
        step
    }
}

proptest! {
    #[test]
    fn a_mirror_of_an_honest_server_has_what_it_had_and_in_the_end_all(events in prop::collection::vec(event(), 1..60)) {
        let (mut server, mut mirror) = (Server::new(), Follower { local: None, objects: Vec::new() });
        for event in &events {
            server.happen(event);
            let Event::Poll(files) = event else { continue };
            let step = mirror.poll(&mut server, *files);
            prop_assert!(!matches!(step, Step::Refuse(_)), "{step:?}");
            if let Some(local) = mirror.local.as_ref().filter(|local| local.session == server.index().session) {
                prop_assert_eq!(&mirror.objects, &server.changes[..local.version as usize]);
            }
        }
        // The snapshot, the deltas after it, and a look that finds nothing more.
        mirror.poll(&mut server, 1000);
        mirror.poll(&mut server, 1000);
        prop_assert_eq!(mirror.poll(&mut server, 1000), Step::Nothing);
        prop_assert_eq!(mirror.objects, server.changes);
    }

    #[test]
    fn a_history_that_is_rewritten_or_goes_back_is_refused(
        events in prop::collection::vec(event(), 1..40),
        which in any::<prop::sample::Index>(),
        more in 0_usize..3,
        back in any::<bool>(),
    ) {
        let (mut server, mut mirror) = (Server::new(), Follower { local: None, objects: Vec::new() });
        for event in &events {
            server.happen(event);
        }
        mirror.poll(&mut server, 1);
        let local = mirror.local.clone().unwrap();
        if back {
            prop_assume!(server.snapshot < server.changes.len());
            server.changes.pop();
            server.oldest = server.oldest.min(server.changes.len() + 1);
        } else {
            // Any version that the snapshot holds, or a delta that is listed.
            let place = which.index(server.changes.len());
            server.changes[place] = server.change();
            for _ in 0..more {
                server.happen(&Event::Change);
            }
        }
        let step = mirror.poll(&mut server, 1000);
        prop_assert!(matches!(step, Step::Refuse(_)), "{:?}", step);
        prop_assert_eq!(mirror.local.as_ref(), Some(&local));
        // A new session heals it.
        server.happen(&Event::NewSession);
        mirror.poll(&mut server, 1000);
        prop_assert_eq!(mirror.objects, server.changes);
    }
}
