//! What stands in the files.

use super::{
    servers::{file, http, ok},
    *,
};

#[tokio::test]
async fn gzip_is_told_by_its_first_bytes_and_not_by_its_name() {
    for (name, body) in [("x.db", packed(DUMP)), ("x.db.gz", DUMP.into()), ("x.db.gz", packed(DUMP))] {
        assert_eq!(fetched(&file(name, body).await).await.unwrap().0, DUMP, "{name}");
    }
    let (begin, end) = DUMP.split_at(20);
    let members = [packed(begin), packed(""), packed(end)].concat();
    assert_eq!(fetched(&file("x", members).await).await.unwrap().0, DUMP);
}

#[tokio::test]
async fn a_dump_without_text_is_told_by_its_receipt() {
    for body in [Vec::new(), packed("")] {
        let (text, receipt) = fetched(&file("x", body).await).await.unwrap();
        assert_eq!((text.as_str(), receipt.is_empty()), ("", true));
    }
    let (text, receipt) = fetched(&file("x", "# EOF\n").await).await.unwrap();
    assert_eq!((text.as_str(), receipt.is_empty()), ("# EOF\n", false));
}

#[tokio::test]
async fn what_is_no_dump_is_refused() {
    let gz = packed(DUMP);
    let mut damaged = gz.clone();
    let crc = damaged.len() - 6;
    damaged[crc] ^= 1;
    let bodies: [Vec<u8>; 6] = [
        "\u{feff} \r\n<!DOCTYPE html>\n<title>Please log in</title>".into(),
        packed("<html><body>Please log in"),
        gz[..gz.len() / 2].to_vec(),
        [gz.as_slice(), b"garbage"].concat(),
        damaged,
        b"\x1f\x8b".to_vec(),
    ];
    let mut all = Vec::new();
    for body in bodies {
        all.push(failure(&file("x", body).await).await);
    }
    insta::assert_snapshot!(all.join("\n"), @r"
    http://SERVER/x: a web page came instead: <!DOCTYPE html> <title>Please log in</title>
    http://SERVER/x: a web page came instead: <html><body>Please log in
    http://SERVER/x: it cannot be unpacked: incomplete deflate stream
    http://SERVER/x: it cannot be unpacked: unexpected end of file
    http://SERVER/x: it cannot be unpacked: corrupt gzip stream does not have a matching checksum
    http://SERVER/x: it cannot be unpacked: unexpected end of file
    ");
}

#[tokio::test]
async fn a_bomb_and_a_flood_have_an_end() {
    let bomb = packed(vec![b'\n'; 100_000]);
    let small = FetchLimits { text: 99_999, received: 1000, ..LIMITS };
    let urls = file("bomb", bomb.clone()).await;
    let mut all = vec![failure_with(small, &urls).await];
    assert_eq!(fetched_with(FetchLimits { text: 100_000, ..small }, &urls).await.unwrap().0.len(), 100_000);
    all.push(failure_with(FetchLimits { received: 50, ..LIMITS }, &urls).await);
    // The limits hold for all files together.
    let url = http(move |_| ok(&bomb)).await;
    let both = [format!("{url}/a"), format!("{url}/b")];
    all.push(failure_with(FetchLimits { text: 150_000, ..LIMITS }, &both).await);
    insta::assert_snapshot!(all.join("\n"), @r"
    http://SERVER/bomb: it unpacks to more than 99999 bytes
    http://SERVER/bomb: it has more than 50 bytes
    http://SERVER/b: it unpacks to more than 150000 bytes
    ");
}

#[tokio::test]
async fn the_last_object_of_a_file_and_the_first_of_the_next_stay_two() {
    let url = http(|head| match head.split(' ').nth(1).unwrap() {
        "/a" => ok("route: 192.0.2.0/24"),
        "/empty" => ok(""),
        _ => ok(packed("route6: 2001:db8::/32\n")),
    })
    .await;
    let (text, receipt) = fetched(&["empty", "a", "empty", "b"].map(|name| format!("{url}/{name}"))).await.unwrap();
    let objects: Vec<&str> = text.split("\n\n").map(str::trim).filter(|text| !text.is_empty()).collect();
    assert_eq!(objects, ["route: 192.0.2.0/24", "route6: 2001:db8::/32"]);
    assert_eq!(receipt.files.iter().map(|file| file.text).collect::<Vec<_>>(), [0, 19, 0, 22]);
    assert!(!receipt.is_empty());
}

#[tokio::test]
async fn a_file_on_this_machine_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db.gz");
    std::fs::write(&path, packed(DUMP)).unwrap();
    assert_eq!(fetched(&[format!("file://{}", path.display())]).await.unwrap().0, DUMP);
    let place = |name: &str| [format!("file://{}/{name}", folder.path().display())];
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    let all = [failure(&place("folder")).await, failure(&place("none")).await].join("\n");
    insta::assert_snapshot!(all.replace(folder.path().to_str().unwrap(), "/F"), @r"
    file:///F/folder: it is no ordinary file
    file:///F/none: the file cannot be read: No such file or directory (os error 2)
    ");
}

#[tokio::test]
async fn after_a_failure_there_is_nothing_but_failure() {
    let gz = packed(DUMP.repeat(1000));
    let urls = file("x", gz[..gz.len() - 4].to_vec()).await;
    let Fetched::Coming(download) = fetcher(LIMITS).fetch(&places(&urls), &[]).await.unwrap() else { panic!() };
    let reading = tokio::task::spawn_blocking(move || {
        let (mut text, mut all) = (download.text(), Vec::new());
        assert!(text.by_ref().read_to_end(&mut all).is_err());
        let before = all.len();
        assert!(text.by_ref().read_to_end(&mut all).is_err());
        assert_eq!(all.len(), before, "what came just before the failure is not handed out after it");
        assert!(matches!(text.finish().unwrap_err().kind, FetchFailure::FailedBefore));
    });
    reading.await.unwrap();
}

#[tokio::test]
async fn bytes_come_as_they_are_served() {
    let urls = file("x.json.gz", packed(DUMP)).await;
    let Fetched::Coming(download) = fetcher(LIMITS).fetch(&places(&urls), &[]).await.unwrap() else { panic!() };
    let reading = tokio::task::spawn_blocking(move || {
        let mut all = Vec::new();
        download.bytes().read_to_end(&mut all).unwrap();
        all
    });
    assert_eq!(reading.await.unwrap(), packed(DUMP));
}

#[tokio::test]
async fn no_file_at_all_is_no_dump() {
    assert!(matches!(fetched(&[]).await.unwrap_err().kind, FetchFailure::NothingNamed));
}
