//! What comes of each fault of an upstream that serves dumps.

mod files;
mod ftp;
mod http;
mod servers;

use std::{
    io::{Read, Write},
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};

use super::*;
use crate::{config::Proxy, error_chain::error_chain};

const DUMP: &str = "route: 192.0.2.0/24\norigin: AS64496\nsource: TEST\n\n# EOF\n";

/// Long enough for a busy machine; what has to run out is set to less.
const LIMITS: FetchLimits = FetchLimits {
    connect: Duration::from_secs(15),
    idle: Duration::from_secs(15),
    total: Duration::from_secs(30),
    received: 1 << 20,
    text: 1 << 20,
};

fn fetcher(limits: FetchLimits) -> Fetcher {
    Fetcher::new(None, &Proxy::None, false, limits).unwrap()
}

fn packed(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn places(texts: &[String]) -> Vec<Location> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

async fn read(fetched: Fetched) -> Result<(String, Receipt), FetchError> {
    let Fetched::Coming(download) = fetched else { panic!("it is unchanged") };
    let reading = tokio::task::spawn_blocking(move || {
        let (mut text, mut all) = (download.text(), Vec::new());
        text.by_ref().read_to_end(&mut all).map_err(failure_of)?;
        Ok((String::from_utf8_lossy(&all).into_owned(), text.finish()?))
    });
    reading.await.unwrap()
}

async fn fetched_with(limits: FetchLimits, urls: &[String]) -> Result<(String, Receipt), FetchError> {
    read(fetcher(limits).fetch(&places(urls), &[]).await?).await
}

async fn fetched(urls: &[String]) -> Result<(String, Receipt), FetchError> {
    fetched_with(LIMITS, urls).await
}

/// Says why it fails, without ports.
async fn failure_with(limits: FetchLimits, urls: &[String]) -> String {
    told(fetched_with(limits, urls).await.unwrap_err())
}

async fn failure(urls: &[String]) -> String {
    failure_with(LIMITS, urls).await
}

fn told(error: FetchError) -> String {
    let text = error_chain(&error).to_string();
    regex_lite::Regex::new(r"127\.0\.0\.1:\d+").unwrap().replace_all(&text, "SERVER").into_owned()
}
