//! Ending by signal.

use std::time::Duration;

use crate::harness::Home;

/// The bound of the issue is 20 s; a server with nothing to do needs far less.
const BOUND: Duration = Duration::from_secs(20);

#[test]
fn each_signal_ends_the_server_in_time_and_without_an_error() {
    let home = Home::new();
    for signal in ["TERM", "INT", "QUIT", "HUP"] {
        let server = home.serve(&[]);
        server.signal(signal);
        assert_eq!(server.end(BOUND).code(), Some(0), "{signal}");
    }
}
