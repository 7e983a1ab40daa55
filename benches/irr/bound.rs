//! The bound: a bare loop that unpacks a dump, splits it and takes the keys; and, to end with, puts the texts into Redis in
//! packed blocks. Nobody who mirrors a source can do with less.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
};

use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};
use ipnet::IpNet;
use redis::Connection;

/// The text of a block, as the store has it.
const BLOCK: usize = 256 * 1024;

/// Where blocks go.
pub(crate) struct Blocks {
    connection: Connection,
    key: String,
    number: u64,
}

impl Blocks {
    pub(crate) fn new(redis: &str, key: &str) -> Self {
        let connection = redis::Client::open(redis).unwrap().get_connection().unwrap();
        Self { connection, key: key.to_owned(), number: 0 }
    }

    fn put(&mut self, text: &[u8]) {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(text).unwrap();
        let packed = packed.finish().unwrap();
        redis::cmd("HSET").arg(&self.key).arg(self.number).arg(packed).exec(&mut self.connection).unwrap();
        self.number += 1;
    }
}

/// Reads a dump and returns how many objects with a key it has.
pub(crate) fn read(file: &str, mut blocks: Option<Blocks>) -> u64 {
    let packed = BufReader::with_capacity(64 * 1024, File::open(file).unwrap());
    let mut text = BufReader::with_capacity(64 * 1024, MultiGzDecoder::new(packed));
    let (mut block, mut begins, mut objects) = (Vec::with_capacity(2 * BLOCK), 0, 0);
    loop {
        let line_begins = block.len();
        if text.read_until(b'\n', &mut block).unwrap() == 0 {
            break;
        }
        if &block[line_begins..] != b"\n" {
            continue;
        }
        objects += u64::from(key(&block[begins..line_begins]).is_some());
        if block.len() >= BLOCK {
            if let Some(blocks) = &mut blocks {
                blocks.put(&block);
            }
            block.clear();
        }
        begins = block.len();
    }
    if let Some(blocks) = &mut blocks {
        blocks.put(&block);
    }
    objects
}

/// The key of a route object.
fn key(object: &[u8]) -> Option<String> {
    let (mut prefix, mut origin) = (None, None);
    for line in str::from_utf8(object).unwrap().lines() {
        match line.split_once(':')? {
            ("route" | "route6", value) => prefix = value.trim().parse::<IpNet>().ok(),
            ("origin", value) => origin = value.trim().strip_prefix("AS")?.parse::<u32>().ok(),
            _ => {}
        }
    }
    Some(format!("{}AS{}", prefix?, origin?))
}
