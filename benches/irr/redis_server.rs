//! The Redis at `RIR_LAB_REDIS_URL`, looked at from outside.

use redis::Connection;

use crate::cost;

pub(crate) struct RedisServer {
    pub(crate) url: String,
    connection: Connection,
    pid: u32,
    /// The most memory that was seen since [`RedisServer::forget_peak`], in bytes.
    peak: u64,
}

impl RedisServer {
    pub(crate) fn of_the_lab() -> Self {
        let url = std::env::var("RIR_LAB_REDIS_URL").expect("RIR_LAB_REDIS_URL is not set; use tests/bench.sh");
        let connection = redis::Client::open(url.as_str()).unwrap().get_connection().unwrap();
        let mut server = Self { url, connection, pid: 0, peak: 0 };
        server.pid = u32::try_from(server.figure("server", "process_id")).unwrap();
        server
    }

    /// CPU seconds so far. Looks at the memory on the way.
    pub(crate) fn cpu(&mut self) -> f64 {
        self.peak = self.peak.max(self.memory());
        cost::cpu(self.pid)
    }

    /// The bytes of all that it holds.
    pub(crate) fn memory(&mut self) -> u64 {
        self.figure("memory", "used_memory")
    }

    pub(crate) fn forget_peak(&mut self) {
        self.peak = 0;
    }

    pub(crate) fn peak(&self) -> u64 {
        self.peak
    }

    /// Deletes the keys of a prefix.
    pub(crate) fn clear(&mut self, prefix: &str) {
        let keys: Vec<String> = redis::cmd("KEYS").arg(format!("*{prefix}*")).query(&mut self.connection).unwrap();
        for key in keys {
            redis::cmd("DEL").arg(key).exec(&mut self.connection).unwrap();
        }
    }

    fn figure(&mut self, section: &str, name: &str) -> u64 {
        let text: String = redis::cmd("INFO").arg(section).query(&mut self.connection).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.trim().parse().unwrap()
    }
}
