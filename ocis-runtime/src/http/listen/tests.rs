//! Tests of the listener: limits, framing, stopping.
