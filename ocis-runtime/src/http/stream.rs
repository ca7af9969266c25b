//! A byte stream that reports to the connection's watcher, and that closes without losing the
//! answer.
//!
//! When a server closes a socket while the client is still sending, the client's system throws
//! away what it has not read yet: an early `507` would be lost. So a close first ends our side, and
//! then reads on, as nginx's lingering close does, for as long as the client goes on sending: many
//! clients look for an answer only when they have sent everything, which takes a large file its time.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::activity::Activity;

/// How long what a client sends after its answer is read, at most.
pub(super) const LINGER: Duration = Duration::from_secs(3600);
/// How long of that without a byte.
pub(super) const SILENCE: Duration = Duration::from_secs(5);

/// The stream of one connection.
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    blocked: bool,
    linger: Option<Linger>,
}

/// Since our side was ended.
struct Linger {
    until: Instant,
    timer: Pin<Box<Sleep>>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity, blocked: false, linger: None }
    }

    fn wrote<T>(&mut self, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_pending() != self.blocked {
            self.blocked = polled.is_pending();
            self.activity.blocked(self.blocked);
        }
        polled
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
        match buffer.filled().get(before..) {
            Some(bytes) if !bytes.is_empty() => this.activity.received(bytes),
            _ => {}
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.wrote(polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.wrote(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_flush(cx);
        this.wrote(polled)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            let polled = Pin::new(&mut this.stream).poll_shutdown(cx);
            ready!(this.wrote(polled))?;
            if !this.activity.peer_may_be_sending() {
                return Poll::Ready(Ok(()));
            }
            this.activity.linger();
        }
        let Linger { until, timer } = this.linger.get_or_insert_with(|| Linger {
            until: Instant::now() + LINGER,
            timer: Box::pin(tokio::time::sleep(SILENCE)),
        });
        let mut bytes = [0_u8; 8192];
        loop {
            // First the time: a client that never ceases to send must not win.
            if timer.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut bytes);
            match ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {
                    timer.as_mut().reset((*until).min(Instant::now() + SILENCE));
                }
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Version;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    /// A connection whose request was answered with `507` before its body was there, and that is being
    /// closed; the client's side of it.
    async fn closing() -> (DuplexStream, tokio::task::JoinHandle<io::Result<()>>) {
        let (client, server) = duplex(1024);
        let activity = Activity::begin();
        drop(activity.request(Version::HTTP_11));
        activity.body_left();
        let mut server = Watched::new(server, activity);
        server.write_all(b"507").await.unwrap();
        (client, tokio::spawn(async move { server.shutdown().await }))
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_everything_before_looking_for_an_answer_gets_it() {
        let (mut client, closed) = closing().await;
        let start = Instant::now();
        // Some gigabytes over a slow line would take as long.
        while start.elapsed() < Duration::from_secs(3000) {
            client.write_all(&[0; 1000]).await.unwrap();
            tokio::time::advance(Duration::from_secs(4)).await;
        }
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "507");
        drop(client);
        closed.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_nothing_or_without_end_is_not_waited_for() {
        let start = Instant::now();
        let (_client, closed) = closing().await;
        closed.await.unwrap().unwrap();
        assert_eq!(start.elapsed().as_secs(), 5);

        let start = Instant::now();
        let (mut client, closed) = closing().await;
        while client.write_all(&[0; 1000]).await.is_ok() {
            tokio::time::advance(Duration::from_secs(2)).await;
        }
        closed.await.unwrap().unwrap();
        assert!((3590..3610).contains(&start.elapsed().as_secs()));
    }
}
