//! Hostile clients on raw sockets.
