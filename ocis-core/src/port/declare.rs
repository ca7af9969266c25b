//! The macro that declares a port: the trait, its name, and the late-bound handle that implements
//! it by passing every call on.

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
    };
}

pub(crate) use port;
