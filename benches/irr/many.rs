//! Ten sources of mixed size at once: a service that begins with nothing.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rir_sandbox::netbox::{Options, Server, TOKEN};
use rir_sidecar::{irr::store::Store, model::SourceName};

use crate::{
    cost,
    redis_server::RedisServer,
    routes,
    sidecar::{Sidecar, source},
    upstream::DUMPED,
};

/// The objects of each source, in the order of the settings: the largest one comes first.
const SIZES: [u64; 10] = [1_000_000, 200_000, 100_000, 50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500];
const LONGEST_WAIT: Duration = Duration::from_secs(1800);

pub(crate) async fn measure(folder: &Path, redis: &mut RedisServer) {
    let serial_file = folder.join("MANY.CURRENTSERIAL");
    std::fs::write(&serial_file, DUMPED.to_string()).unwrap();
    let sources = SIZES.map(|objects| (format!("MANY-{objects}"), objects));
    let mut tables = String::new();
    for (name, objects) in &sources {
        let dump: PathBuf = folder.join(format!("{name}.db.gz"));
        routes::write_dump(name, *objects, &dump);
        tables.push_str(&source(name, (&dump, &serial_file, None)));
    }
    let netbox = Server::start(Options::default()).await.unwrap();
    let more = format!("[http]\nlisten = '127.0.0.1:0'\n[schedule]\nenabled = false\n{tables}");
    let sidecar = Sidecar::new(&redis.url, (&netbox.url(), TOKEN), &more);
    let store = Store::open(&sidecar.settings().queue).unwrap();

    let (began, redis_before) = (Instant::now(), redis.cpu());
    let mut child = sidecar.command().arg("serve").kill_on_drop(true).spawn().unwrap();
    let pid = child.id().unwrap();
    let mut left: Vec<(String, u64)> = sources.into();
    let mut lines = Vec::new();
    while !left.is_empty() {
        assert!(began.elapsed() < LONGEST_WAIT && child.try_wait().unwrap().is_none(), "missing: {left:?}");
        let mut still = Vec::new();
        for (name, objects) in left {
            let state = store.state(&name.parse::<SourceName>().unwrap()).await.unwrap();
            match state.holding {
                Some(holding) => {
                    assert_eq!(holding.objects, objects, "{name}");
                    lines.push(format!("| {objects} | {:.1} |", began.elapsed().as_secs_f64()));
                }
                None => still.push((name, objects)),
            }
        }
        left = still;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (cpu, redis_cpu) = (cost::cpu(pid), redis.cpu() - redis_before);
    let peak = cost::memory(pid).unwrap();
    child.kill().await.unwrap();
    redis.clear(&sidecar.prefix);

    println!("\n### Ten sources at once\n");
    println!(
        "{} objects: {:.1} s of CPU ({cpu:.1} the service, {redis_cpu:.1} Redis), {peak:.0} MB at most.\n",
        SIZES.iter().sum::<u64>(),
        cpu + redis_cpu
    );
    println!("| objects of the source | there after s |\n|---:|---:|");
    lines.iter().for_each(|line| println!("{line}"));
}
