//! Debian's `litmus` against the service on a socket. A machine without it passes; CI installs it.

use std::process::Command;

use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn litmus_passes() {
    if Command::new("litmus").arg("--version").output().is_err() {
        return;
    }
    let server = Server::start().await;
    for path in ["/remote.php/webdav/", "/dav/files/einstein/", &server.space_path()] {
        let url = format!("http://{}{path}", server.address);
        let folder = tempfile::tempdir().unwrap();
        let output = tokio::task::spawn_blocking({
            let folder = folder.path().to_owned();
            move || Command::new("litmus").args(["-k", &url]).current_dir(folder).output().unwrap()
        });
        let output = output.await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let faults: Vec<_> = text
            .lines()
            .filter(|line| line.contains("FAIL") || line.contains("WARNING"))
            // No server over hyper ever sees a fragment.
            .filter(|line| !line.contains("fragment"))
            .collect();
        assert!(faults.is_empty() && text.contains("summary for `locks'"), "{text}");
    }
}
