//! The supervisor on small services made for the purpose. Time is tokio's and paused: pauses
//! between restarts take none.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use ocis_core::config::Layers;
use ocis_core::data::HttpService;
use ocis_core::port::{Authenticate, Credentials};
use ocis_core::{Cx, Identity};

use super::*;
use crate::http::Limits;
use crate::peers::{Offer, Peers, Port, Slot};
use crate::registry::Registry;
use crate::service::{Listener, Service, Stop, Unit};

ocis_core::settings! {
    /// Settings without a setting.
    pub struct Nothing("test", key "test") {}
}

/// Declares a service whose `build` is given.
macro_rules! service {
    ($name:ident, $text:literal, needs $needs:expr, offers $offers:expr, |$peers:pat_param| $build:expr) => {
        struct $name;
        impl Service for $name {
            const NAME: &'static str = $text;
            const NEEDS: &'static [Slot] = $needs;
            const OFFERS: &'static [Slot] = $offers;
            type Config = Nothing;
            fn build(_: Nothing, $peers: &Peers) -> Result<Unit> {
                $build
            }
        }
    };
}

struct Nobody;

#[async_trait::async_trait]
impl Authenticate for Nobody {
    async fn authenticate(&self, _: &Cx, _: Credentials) -> Result<Arc<Identity>> {
        Err(Error::unauthenticated("nobody"))
    }
}

fn registry() -> Registry {
    Registry::new()
}

async fn start(registry: &Registry, restart: Restart) -> Result<Runtime> {
    let options = Options { restart, ..Options::default() };
    Plan::new(registry, &registry.names(), &Layers::default())?.start(options).await
}

async fn state_becomes(runtime: &Runtime, name: &str, wanted: State) {
    while runtime.services().iter().find(|s| s.name == name).unwrap().state != wanted {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

const AUTHENTICATE: Slot = Slot::Plain(Port::Authenticate);

service!(Steady, "steady", needs & [], offers & [AUTHENTICATE], |_| {
    static TICKS: AtomicU32 = AtomicU32::new(0);
    Ok(Unit::new().offers(Offer::Authenticate(Arc::new(Nobody))).runs(
        "tick",
        |stop: Stop| async move {
            assert_eq!(
                TICKS.fetch_add(1, Ordering::SeqCst),
                0,
                "a steady job is never started again"
            );
            stop.cancelled().await;
            Ok(())
        },
    ))
});

service!(Failing, "failing", needs & [AUTHENTICATE], offers & [], |_| {
    static TIMES: AtomicU32 = AtomicU32::new(0);
    Ok(Unit::new().runs("work", |stop: Stop| async move {
        if TIMES.fetch_add(1, Ordering::SeqCst) < 2 {
            return Err(Error::internal("the disk is gone"));
        }
        stop.cancelled().await;
        Ok(())
    }))
});

service!(Panicking, "panicking", needs & [], offers & [], |_| {
    static TIMES: AtomicU32 = AtomicU32::new(0);
    Ok(Unit::new().runs("work", |stop: Stop| async move {
        assert!(TIMES.fetch_add(1, Ordering::SeqCst) >= 3, "a defect");
        stop.cancelled().await;
        Ok(())
    }))
});

service!(Hopeless, "hopeless", needs & [], offers & [], |_| {
    Ok(Unit::new().runs("work", |_| async { Err(Error::internal("no way")) }))
});

#[tokio::test(start_paused = true)]
async fn what_fails_or_panics_is_restarted_and_the_others_go_on() {
    let registry =
        registry().with::<Steady>().with::<Failing>().with::<Panicking>().with::<Hopeless>();
    let mut runtime = start(&registry, Restart::BackOff).await.unwrap();
    assert_eq!(runtime.given_up().await.message(), "no way");
    for (name, restarts) in [("steady", 0), ("failing", 2), ("panicking", 3)] {
        let services = runtime.services();
        let status = services.iter().find(|status| status.name == name).unwrap();
        assert_eq!((status.state, status.restarts), (State::Running, restarts), "{name}");
    }
    let services = runtime.services();
    let last = |name| services.iter().find(|s| s.name == name).unwrap().last_error.clone().unwrap();
    assert_eq!(last("failing"), "the disk is gone [job=work]");
    assert_eq!(last("panicking"), "a job panicked: a defect");
    assert_eq!(services.iter().find(|s| s.name == "hopeless").unwrap().state, State::GivenUp);
    runtime.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_service_that_runs_alone_is_not_restarted() {
    let mut runtime = start(&registry().with::<Hopeless>(), Restart::Never).await.unwrap();
    assert_eq!(runtime.given_up().await.message(), "no way");
    assert_eq!(runtime.services()[0].restarts, 0);
}

#[tokio::test]
async fn a_need_that_nobody_here_meets_is_refused_before_anything_is_opened() {
    let known = registry().with::<Failing>().with::<Steady>();
    let error = Plan::new(&known, &["failing"], &Layers::default()).unwrap_err();
    assert_eq!(
        error.message(),
        "failing needs \"authenticate\", which steady offers; this version cannot reach it over the \
         network yet: run them in one process (OCIS_RUN_SERVICES=failing,steady ocis server)"
    );
    let error = Plan::new(&known, &["falling"], &Layers::default()).unwrap_err();
    assert_eq!(error.message(), "there is no service \"falling\"");
}

service!(Second, "second", needs & [], offers & [AUTHENTICATE], |_| {
    Ok(Unit::new().offers(Offer::Authenticate(Arc::new(Nobody))))
});

#[tokio::test]
async fn two_offers_under_one_key_are_refused() {
    let error = start(&registry().with::<Steady>().with::<Second>(), Restart::Never).await;
    assert_eq!(
        error.unwrap_err().message(),
        "steady and second both offer \"authenticate\"; only one of them can run"
    );
}

service!(Locked, "locked", needs & [], offers & [], |_| {
    Ok(Unit::new().starts(|| async { Err(Error::unavailable("another process owns the store")) }))
});

service!(Opened, "first", needs & [], offers & [], |_| {
    Ok(Unit::new().closes(|| async {
        CLOSED.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }))
});

static CLOSED: AtomicU32 = AtomicU32::new(0);

#[tokio::test]
async fn a_store_that_cannot_be_opened_is_one_clear_line_and_what_was_opened_is_closed() {
    let error = start(&registry().with::<Opened>().with::<Locked>(), Restart::BackOff).await;
    assert_eq!(error.unwrap_err().message(), "locked cannot start: another process owns the store");
    assert_eq!(CLOSED.load(Ordering::SeqCst), 1);
}

service!(Stubborn, "stubborn", needs & [], offers & [], |_| {
    Ok(Unit::new().runs("work", |_| std::future::pending()))
});

#[tokio::test(start_paused = true)]
async fn ending_has_a_bound() {
    let runtime = start(&registry().with::<Stubborn>(), Restart::BackOff).await.unwrap();
    let since = Instant::now();
    runtime.stop().await;
    assert!(since.elapsed() <= Options::default().drain, "{:?}", since.elapsed());
}

service!(Moody, "moody", needs & [AUTHENTICATE], offers & [AUTHENTICATE], |peers| {
    static TIMES: AtomicU32 = AtomicU32::new(0);
    if TIMES.fetch_add(1, Ordering::SeqCst) == 1 {
        panic!("a defect in build");
    }
    let own = peers.authenticate();
    Ok(Unit::new()
        .offers(Offer::Authenticate(Arc::new(Nobody)))
        .ready_when(move || {
            let _ = &own;
            Ok(())
        })
        .runs("work", |stop: Stop| async move {
            tokio::select! {
                () = stop.cancelled() => Ok(()),
                () = tokio::time::sleep(Duration::from_secs(1)) => Err(Error::internal("tired")),
            }
        }))
});

#[tokio::test(start_paused = true)]
async fn what_a_unit_offers_is_taken_away_while_it_is_down() {
    let registry = registry().with::<Moody>();
    let plan = Plan::new(&registry, &["moody"], &Layers::default()).unwrap();
    let peers = plan.peers().clone();
    let runtime = plan.start(Options::default()).await.unwrap();
    assert!(peers.is_bound(AUTHENTICATE));
    state_becomes(&runtime, "moody", State::Restarting).await;
    assert!(!peers.is_bound(AUTHENTICATE));
    state_becomes(&runtime, "moody", State::Running).await;
    assert!(peers.is_bound(AUTHENTICATE));
    let status = &runtime.services()[0];
    assert_eq!(status.restarts, 2);
    assert_eq!(status.last_error.as_deref(), Some("starting panicked: a defect in build"));
}

static FAIL: tokio::sync::Notify = tokio::sync::Notify::const_new();
static MAY_RETURN: AtomicBool = AtomicBool::new(true);

service!(Listening, "listening", needs & [], offers & [], |_| {
    static TIMES: AtomicU32 = AtomicU32::new(0);
    if !MAY_RETURN.load(Ordering::SeqCst) {
        return Err(Error::unavailable("not yet"));
    }
    let time = TIMES.fetch_add(1, Ordering::SeqCst).to_string();
    let service = tower::service_fn(move |_| {
        let response = http::Response::new(ocis_core::data::full(time.clone()));
        async { Ok::<_, std::convert::Infallible>(response) }
    });
    Ok(Unit::new()
        .listens(Listener {
            address: "127.0.0.1:0".into(),
            variable: "LISTENING_ADDR",
            service: HttpService::new(service),
            serve: Arc::new(|socket, service, stop| {
                Box::pin(async move {
                    crate::http::serve(socket, None, service, Limits::default(), stop).await;
                    Ok(())
                })
            }),
        })
        .runs("work", |stop: Stop| async move {
            tokio::select! {
                () = stop.cancelled() => Ok(()),
                () = FAIL.notified() => Err(Error::internal("told to fail")),
            }
        }))
});

#[tokio::test]
async fn a_listener_keeps_its_port_while_its_unit_is_restarted() {
    let runtime = start(&registry().with::<Listening>(), Restart::BackOff).await.unwrap();
    let url = format!("http://{}/", runtime.services()[0].listeners[0]);
    let answer = || async { reqwest::get(&url).await.unwrap() };
    assert_eq!(answer().await.text().await.unwrap(), "0");
    MAY_RETURN.store(false, Ordering::SeqCst);
    FAIL.notify_one();
    state_becomes(&runtime, "listening", State::Restarting).await;
    assert_eq!(answer().await.status(), 503);
    MAY_RETURN.store(true, Ordering::SeqCst);
    state_becomes(&runtime, "listening", State::Running).await;
    assert_eq!(answer().await.text().await.unwrap(), "1");
    runtime.stop().await;
    assert!(reqwest::get(&url).await.is_err(), "nothing is accepted any more");
}
