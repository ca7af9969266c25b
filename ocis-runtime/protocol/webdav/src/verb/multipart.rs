//! Several ranges of one file as `multipart/byteranges` (RFC 9110 section 14.6).

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use ocis_core::Error;
use ocis_core::data::Body;

use crate::service::Call;
use crate::verb::get;

/// The parts of an answer, in the order in which they were asked for.
#[derive(Debug)]
pub(crate) struct Parts {
    boundary: String,
    parts: VecDeque<(Bytes, RangeInclusive<u64>)>,
    end: Bytes,
}

impl Parts {
    /// Parts of a file of the media type `media` with `size` bytes.
    pub(crate) fn new(ranges: &[RangeInclusive<u64>], media: &str, size: u64) -> Self {
        let boundary = uuid::Uuid::new_v4().simple().to_string();
        let head = |range: &RangeInclusive<u64>| {
            let content_range = get::content_range(range, size);
            format!(
                "\r\n--{boundary}\r\nContent-Type: {media}\r\nContent-Range: {content_range}\r\n\r\n"
            )
        };
        let parts = ranges.iter().map(|range| (head(range).into(), range.clone())).collect();
        let end = format!("\r\n--{boundary}--\r\n").into();
        Self { boundary, parts, end }
    }

    /// The media type of the whole.
    pub(crate) fn media(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.boundary)
    }

    /// The bytes of the whole.
    pub(crate) fn len(&self) -> u64 {
        let parts = self
            .parts
            .iter()
            .map(|(head, range)| head.len() as u64 + (range.end() - range.start() + 1));
        parts.sum::<u64>() + self.end.len() as u64
    }

    /// The whole: one request to the data plane after the other, each begun when the one before has
    /// been sent.
    pub(crate) fn into_body(self, call: Call, ticket: String) -> Body {
        let state = Sending { call, ticket, parts: self.parts, content: None, end: Some(self.end) };
        let stream = futures::stream::unfold(state, |mut state| async move {
            let frame = state.next().await?;
            // After an error the body ends: the part after next must not follow half a part.
            if frame.is_err() {
                state.parts.clear();
                state.content = None;
                state.end = None;
            }
            Some((frame.map(Frame::data), state))
        });
        StreamBody::new(stream).boxed_unsync()
    }
}

struct Sending {
    call: Call,
    ticket: String,
    parts: VecDeque<(Bytes, RangeInclusive<u64>)>,
    content: Option<Body>,
    end: Option<Bytes>,
}

impl Sending {
    async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        while let Some(content) = &mut self.content {
            match content.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Some(Ok(data));
                    }
                }
                Some(Err(error)) => return Some(Err(error)),
                None => self.content = None,
            }
        }
        let Some((head, range)) = self.parts.pop_front() else { return self.end.take().map(Ok) };
        match get::content(&self.call, &self.ticket, Some(&range)).await {
            Ok(content) => {
                self.content = Some(content);
                Some(Ok(head))
            }
            Err(_) => Some(Err(Error::unavailable("the content cannot be read any more"))),
        }
    }
}
