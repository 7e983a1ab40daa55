//! Connections that can be ended in the middle of everything.
//!
//! An HTTP answer can only be given or be late. That none comes, and the connection ends, happens below HTTP.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// Takes connections, but for those that are to be closed at once.
pub(crate) struct Lines {
    pub(crate) listener: TcpListener,
    /// Connections yet to be closed before a byte is read.
    pub(crate) closing: Arc<AtomicUsize>,
}

/// One end of a connection.
pub(crate) struct Wire {
    tcp: TcpStream,
    cut: Arc<AtomicBool>,
}

/// The connection that a request came by.
#[derive(Debug, Clone)]
pub(crate) struct Line(Arc<AtomicBool>);

impl Line {
    /// Ends the connection: nothing more is sent by it.
    pub(crate) fn cut(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Listener for Lines {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            let (tcp, address) = Listener::accept(&mut self.listener).await;
            let one_less = |closing: usize| closing.checked_sub(1);
            if self.closing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
                continue;
            }
            // Without this, small answers wait for the client's delayed acknowledgements. It may fail on a socket that
            // is already gone.
            drop(tcp.set_nodelay(true));
            return (Wire { tcp, cut: Arc::default() }, address);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Lines>> for Line {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        Self(Arc::clone(&stream.io().cut))
    }
}

impl Wire {
    /// Returns the connection itself, if it has not been cut.
    fn whole(self: Pin<&mut Self>) -> io::Result<Pin<&mut TcpStream>> {
        let wire = self.get_mut();
        if wire.cut.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(Pin::new(&mut wire.tcp))
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.whole()?.poll_read(context, into)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.whole()?.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.whole()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.whole()?.poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.whole()?.poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }
}
