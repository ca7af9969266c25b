//! The services whose work comes in a later version. They start, can be observed at their debug
//! address and are listed, so that what watches the server need not change later; they offer no
//! port, and whatever they would answer on HTTP, they answer 501.

use ocis_core::Result;
use tracing::info;

use crate::late_http::not_implemented;
use crate::peers::Peers;
use crate::service::{Availability, Service, Unit};
use crate::settings;

/// Declares services by name and by what it is that comes later.
macro_rules! later {
    ($($(#[$doc:meta])* $service:ident = $name:literal, $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $service;

        impl Service for $service {
            const NAME: &'static str = $name;
            const AVAILABILITY: Availability = Availability::ComesLater($what);
            type Config = settings::$service;

            fn build(_: Self::Config, _: &Peers) -> Result<Unit> {
                Ok(Unit::new().answers(not_implemented($name)).starts(|| async {
                    info!(service = $name, "nothing to do yet: {} in a later version", $what);
                    Ok(())
                }))
            }
        }
    )*};
}

later! {
    /// Opens files in web applications.
    AppProvider = "app-provider", "opening files in web applications comes";
    /// Which application opens which media type.
    AppRegistry = "app-registry", "choosing the application for a media type comes";
    /// Changes, for connected clients.
    Clientlog = "clientlog", "telling connected clients about changes comes";
    /// Past events.
    Eventhistory = "eventhistory", "keeping past events comes";
    /// Mails.
    Notifications = "notifications", "notifications by mail come";
    /// Sharing with other servers.
    Ocm = "ocm", "sharing with other servers comes";
    /// What is done to uploads before they are readable.
    Postprocessing = "postprocessing", "scanning and checking uploads comes";
    /// Search.
    Search = "search", "search comes";
    /// Shares and links.
    Sharing = "sharing", "shares and links come";
    /// Server-sent events.
    Sse = "sse", "server-sent events come";
    /// Files behind public links.
    StoragePubliclink = "storage-publiclink", "files behind public links come";
    /// Files that others share.
    StorageShares = "storage-shares", "files that others share come";
    /// Previews.
    Thumbnails = "thumbnails", "previews of files come";
    /// What happened, for users.
    Userlog = "userlog", "notifications for users come";
    /// The web page.
    Web = "web", "the web page comes";
    /// Search and previews over WebDAV.
    Webdav = "webdav", "search and previews over WebDAV come";
    /// Which server is whose.
    Webfinger = "webfinger", "telling clients which server is theirs comes";
}
