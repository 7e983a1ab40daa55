//! From the signed index to the objects, as whoever fetches the files walks it.

use std::path::Path;

use super::{
    fixtures::{SESSION, Signer, gz, header, notification, sequence, source},
    *,
};
use crate::{
    config::Proxy,
    irr::dump::{FetchFailure, FetchLimits, Fetched, Fetcher, Incoming, Location, failure_of},
};

const INDEX: &str = "update-notification-file.jose";
const MOST_OF_INDEX: usize = 100_000;

/// Puts a snapshot of version 1 and a delta to version 2 into a folder, and an index of both.
fn publish(folder: &Path, signer: &Signer) {
    let snapshot = gz(&sequence(&header("snapshot", SESSION, 1), &[r#"{"object":"mntner: M\n"}"#]));
    let change = r#"{"action":"delete","object_class":"mntner","primary_key":"M"}"#;
    let delta = gz(&sequence(&header("delta", SESSION, 2), &[change]));
    let mut index = notification(SESSION, 2, 1, 2..=2);
    for (place, bytes) in [("/snapshot", snapshot), ("/deltas/0", delta)] {
        let named = index.pointer_mut(place).unwrap();
        named["hash"] = Sha256Hash::of(&bytes).to_string().into();
        std::fs::write(folder.join(named["url"].as_str().unwrap()), bytes).unwrap();
    }
    std::fs::write(folder.join(INDEX), signer.sign(index.to_string().as_bytes())).unwrap();
}

fn fetcher() -> Fetcher {
    Fetcher::new(None, &Proxy::None, false, FetchLimits::default()).unwrap()
}

async fn bytes(home: &Location, file: &FileRef) -> Incoming {
    let place = home.sibling(file.url.as_str()).unwrap();
    let Fetched::Coming(download) = fetcher().fetch(&[place], &[]).await.unwrap() else { panic!("it is unchanged") };
    download.bytes()
}

#[tokio::test]
async fn an_index_leads_to_a_snapshot_and_then_to_a_delta() {
    let (folder, signer) = (tempfile::tempdir().unwrap(), Signer::new());
    publish(folder.path(), &signer);
    let home: Location = format!("file://{}/{INDEX}", folder.path().display()).parse().unwrap();
    let signed = fetcher().small(&home, MOST_OF_INDEX).await.unwrap();
    let verified = verify(&signed, &Keys::new(signer.public())).unwrap();
    let index = read_index(&verified.payload, &source()).unwrap();

    let Step::Snapshot(file, WhySnapshot::First) = decide(None, &index, index.timestamp).step else { panic!() };
    let (from, at) = (bytes(&home, &file).await, index.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let (source, session) = (source(), at.session);
        let wanted = Wanted { source: &source, session: &session, file: &file };
        SnapshotReader::begin(from, wanted, FileLimits::default()).unwrap().finish().unwrap()
    });
    assert_eq!(reading.await.unwrap().objects(), 1);
    let local = Local::loaded(&index);

    let Step::Deltas(deltas) = decide(Some(&local), &index, index.timestamp).step else { panic!() };
    let (from, at) = (bytes(&home, &deltas[0]).await, index.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let (source, session) = (source(), at.session);
        let wanted = Wanted { source: &source, session: &session, file: &deltas[0] };
        read_delta(from, wanted, FileLimits::default()).unwrap()
    });
    let local = local.applied(reading.await.unwrap().version());
    assert_eq!(decide(Some(&local), &index, index.timestamp).step, Step::Nothing);
}

#[tokio::test]
async fn a_file_that_does_not_come_as_a_whole_is_told_with_its_cause() {
    let (folder, signer) = (tempfile::tempdir().unwrap(), Signer::new());
    publish(folder.path(), &signer);
    let home: Location = format!("file://{}/{INDEX}", folder.path().display()).parse().unwrap();
    let index = notification(SESSION, 2, 1, 2..=2);
    let file = read_index(index.to_string().as_bytes(), &source()).unwrap().snapshot;
    let few = FetchLimits { received: 10, ..FetchLimits::default() };
    let place = home.sibling(file.url.as_str()).unwrap();
    let Fetched::Coming(download) = fetcher().limited(few).fetch(&[place], &[]).await.unwrap() else { panic!() };
    let reading = tokio::task::spawn_blocking(move || {
        let (source, session) = (source(), fixtures::session());
        let wanted = Wanted { source: &source, session: &session, file: &file };
        SnapshotReader::begin(download.bytes(), wanted, FileLimits::default()).err().unwrap()
    });
    let RecordsError::Read(cause) = reading.await.unwrap() else { panic!("another error") };
    assert!(matches!(failure_of(cause).kind, FetchFailure::TooLarge(10)));
}
