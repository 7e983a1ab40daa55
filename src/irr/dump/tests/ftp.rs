//! Over FTP.

use super::{servers::Ftp, *};

async fn outcome(server: Ftp) -> Result<String, String> {
    let url = format!("{}/irr/test.db.gz", server.start().await);
    fetched(&[url]).await.map(|(text, _)| text).map_err(told)
}

#[tokio::test]
async fn a_file_comes_in_passive_mode() {
    let server = Ftp::with(packed(DUMP));
    assert_eq!(outcome(server.clone()).await.as_deref(), Ok(DUMP));
    insta::assert_snapshot!(server.heard.lock().unwrap().join("\n"), @r"
    USER anonymous
    PASS netbox-rir-sidecar@
    TYPE I
    SIZE irr/test.db.gz
    EPSV
    RETR irr/test.db.gz
    ");
}

#[tokio::test]
async fn a_server_that_knows_neither_epsv_nor_size_is_asked_by_pasv_and_the_address_it_names_is_not_used() {
    let server = Ftp { extended: false, size: None, ..Ftp::with(packed(DUMP)) };
    assert_eq!(outcome(server).await.as_deref(), Ok(DUMP));
}

#[tokio::test]
async fn a_file_that_is_cut_is_never_a_whole_one() {
    let server = Ftp { size: Some(DUMP.len() + 5), ..Ftp::with(DUMP) };
    let mut all = vec![outcome(server).await.unwrap_err()];
    for end in ["426 Aborted", "451 The disk is broken", ""] {
        all.push(outcome(Ftp { size: None, end, ..Ftp::with(DUMP) }).await.unwrap_err());
    }
    insta::assert_snapshot!(all.join("\n"), @r"
    ftp://SERVER/irr/test.db.gz: 56 bytes came where 61 were announced
    ftp://SERVER/irr/test.db.gz: the FTP server did not go along with the end of the file: Invalid response: [426] 426 Aborted
    ftp://SERVER/irr/test.db.gz: the FTP server did not go along with the end of the file: Invalid response: [451] 451 The disk is broken
    ftp://SERVER/irr/test.db.gz: the FTP server did not go along with the end of the file: Connection error: connection closed before the end of the response
    ");
}

#[tokio::test]
async fn a_missing_file_and_a_missing_server_are_told() {
    let url = Ftp::with(DUMP).start().await;
    let mut all = vec![failure(&[format!("{url}/irr/other.db.gz")]).await];
    // Somebody who listens, and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = [format!("ftp://{}/x", silent.local_addr().unwrap())];
    all.push(failure_with(FetchLimits { idle: Duration::from_millis(50), ..LIMITS }, &url).await);
    drop(silent);
    all.push(failure(&url).await);
    insta::assert_snapshot!(all.join("\n"), @r"
    ftp://SERVER/irr/other.db.gz: the server has no such file (550)
    ftp://SERVER/x: no byte came for 0.05 seconds
    ftp://SERVER/x: the server could not be reached: Connection refused (os error 111)
    ");
}

#[tokio::test]
async fn the_serial_comes_over_ftp_too() {
    let url = Ftp::with("255031\n").start().await;
    let serial = fetcher(LIMITS).serial(&format!("{url}/irr/test.db.gz").parse().unwrap()).await.unwrap();
    assert_eq!(serial.0, 255_031);
}
