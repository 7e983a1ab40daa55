//! The listener: where the server takes connections.
//!
//! `[::]` means all addresses of the machine, those of IPv4 too, whatever the machine does by default. A kernel without
//! IPv6 knows no such address; there, `0.0.0.0` means all of them.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tracing::warn;

/// The connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// Listens on an address.
///
/// # Errors
/// When the operating system refuses it, as when another process listens there.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = bind_or_instead(address)?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Tells whether an address can be listened on, without doing so: that would be in the way of a process that starts just
/// then.
///
/// # Errors
/// When the operating system refuses it, as when another process listens there.
pub fn try_to_bind(address: SocketAddr) -> io::Result<()> {
    bind_or_instead(address).map(drop)
}

fn bind_or_instead(address: SocketAddr) -> io::Result<Socket> {
    bind(address).or_else(|error| {
        let instead = without_ipv6(address, &error).ok_or(error)?;
        warn!("this machine has no IPv6: listening on {instead} instead of {address} (http.listen)");
        bind(instead)
    })
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // After a restart nobody waits for connections of the process before.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Returns the address that means the same where IPv6 is what `error` is about: all addresses of the machine.
fn without_ipv6(address: SocketAddr, error: &io::Error) -> Option<SocketAddr> {
    let unknown = error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error());
    (unknown && address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED))
        .then(|| SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port()))
}

/// Returns the address of a client as it is written where it comes from: over IPv4 a listener on `[::]` sees it mapped.
pub(super) fn client(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instead(address: &str, errno: Errno) -> Option<String> {
        let error = io::Error::from_raw_os_error(errno.raw_os_error());
        without_ipv6(address.parse().unwrap(), &error).map(|address| address.to_string())
    }

    #[test]
    fn without_ipv6_all_addresses_are_those_of_ipv4() {
        assert_eq!(instead("[::]:8080", Errno::AFNOSUPPORT).as_deref(), Some("0.0.0.0:8080"));
        assert_eq!(instead("[::]:80", Errno::ACCESS), None);
        assert_eq!(instead("[2001:db8::1]:8080", Errno::AFNOSUPPORT), None);
    }

    #[test]
    fn a_client_of_ipv4_is_named_as_one() {
        assert_eq!(client("[::ffff:192.0.2.1]:5".parse().unwrap()).to_string(), "192.0.2.1:5");
        assert_eq!(client("[2001:db8::1]:5".parse().unwrap()).to_string(), "[2001:db8::1]:5");
    }
}
