//! The macro that declares a port: the trait, its name, the late-bound handle and the remote client
//! that implement it by passing every call on, and what calls it by the name of a method.

/// Declares an object-safe port; see the module documentation of [`crate::port`].
macro_rules! port {
    (
        $(#[$doc:meta])*
        pub trait $name:ident = $id:literal {
            $($(#[$method_doc:meta])* async fn $method:ident($request:ty) -> $reply:ty;)*
        }
    ) => {
        $(#[$doc])*
        #[async_trait::async_trait]
        pub trait $name: Send + Sync + 'static {
            $($(#[$method_doc])*
            async fn $method(&self, cx: &crate::cx::Cx, request: $request) -> crate::error::Result<$reply>;)*
        }

        impl crate::port::Late<dyn $name> {
            /// An unbound handle of this port.
            pub fn unbound() -> Self {
                Self::named($id)
            }
        }

        #[async_trait::async_trait]
        impl $name for crate::port::Late<dyn $name> {
            $(async fn $method(&self, cx: &crate::cx::Cx, request: $request) -> crate::error::Result<$reply> {
                self.bound()?.$method(cx, request).await
            })*
        }

        #[async_trait::async_trait]
        impl $name for crate::port::Remote {
            $(async fn $method(&self, _: &crate::cx::Cx, request: $request) -> crate::error::Result<$reply> {
                let request = crate::port::remote::written(request);
                self.call($id, stringify!($method), request).await
            })*
        }

        impl dyn $name {
            /// Calls the method of this name, for a caller in another process.
            /// [`crate::ErrorKind::Unimplemented`] when there is none.
            pub async fn dispatch(
                &self,
                cx: &crate::cx::Cx,
                method: &str,
                request: serde_json::Value,
            ) -> crate::error::Result<serde_json::Value> {
                match method {
                    $(stringify!($method) => {
                        let request: $request = crate::port::remote::read(request)?;
                        crate::port::remote::written(self.$method(cx, request).await?)
                    })*
                    _ => Err(crate::error::Error::unimplemented(format!(
                        "{} has no method {method}",
                        $id
                    ))),
                }
            }
        }
    };
}

pub(crate) use port;
