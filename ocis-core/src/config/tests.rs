//! Tests of the layers as a whole.
