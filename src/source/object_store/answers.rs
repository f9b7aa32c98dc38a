//! Completes the headers of responses of web servers, which omit some that the stores need, as far as they can be trusted.

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG, HeaderMap, HeaderValue, LAST_MODIFIED};
use http::{Method, StatusCode};
use object_store::client::{HttpRequest, HttpResponse};

use super::plan::is_strong;

/// Marks a response whose length is known only at its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unsized;

/// The requested part of a response whose range differs from the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// The number of bytes before the first one that was requested.
    pub(super) skip: u64,
    /// The number of bytes from there on.
    pub(super) len: u64,
}

/// The text of `Last-Modified`, kept unparsed.
#[derive(Clone, Debug)]
pub(super) struct Modified(pub(super) String);

/// Marks a response that only a time could identify, but whose time is that of the response itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unidentified;

/// The parts of a request that its response is checked against.
pub(super) struct Asked {
    range: Option<(u64, u64)>,
    is_get: bool,
}

impl Asked {
    pub(super) fn of(request: &HttpRequest) -> Self {
        let range = request.headers().get(http::header::RANGE).and_then(|value| value.to_str().ok());
        let range = range.and_then(|text| {
            let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
            Some((first.parse().ok()?, last.parse().ok()?))
        });
        Self { range, is_get: request.method() == Method::GET }
    }

    /// Completes the headers of a successful response; marks in its extensions say what is left to check.
    pub(super) fn complete(&self, response: &mut HttpResponse) {
        note_time(response);
        if !self.is_get {
            return;
        }
        if response.status() == StatusCode::PARTIAL_CONTENT {
            self.complete_range(response);
        }
        if !response.headers().contains_key(CONTENT_LENGTH) {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            if response.status() != StatusCode::PARTIAL_CONTENT {
                response.extensions_mut().insert(Unsized);
            }
        }
    }

    /// Replaces the range of a response by the requested one, if the response has the first requested byte.
    fn complete_range(&self, response: &mut HttpResponse) {
        let Some((first, last)) = self.range else { return };
        let sent = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok()).and_then(parse_range);
        let sent = sent.filter(|sent| sent.first <= first && first <= sent.last && sent.last < sent.size);
        let Some(sent) = sent else {
            // A server that sends no usable range is treated as one without ranges.
            *response.status_mut() = StatusCode::OK;
            return;
        };
        let last = last.min(sent.size - 1);
        if (sent.first, sent.last) != (first, last) {
            let piece = Piece { skip: first - sent.first, len: sent.last.min(last) + 1 - first };
            response.extensions_mut().insert(piece);
            if let Ok(range) = HeaderValue::try_from(format!("bytes {first}-{last}/{}", sent.size)) {
                response.headers_mut().insert(CONTENT_RANGE, range);
            }
        }
    }
}

struct Sent {
    first: u64,
    last: u64,
    size: u64,
}

/// Parses a `Content-Range` that names the size of the object.
fn parse_range(text: &str) -> Option<Sent> {
    let (range, size) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some(Sent { first: first.parse().ok()?, last: last.parse().ok()?, size: size.parse().ok()? })
}

/// Moves the time of the last change from the headers to the extensions, and marks a response that it does not identify.
fn note_time(response: &mut HttpResponse) {
    let headers = response.headers();
    let modified = text(headers, LAST_MODIFIED);
    let etag = text(headers, ETAG);
    // Some servers report the time of the request as the time of the last change.
    let is_dated = match (&modified, text(headers, DATE)) {
        (Some(modified), Some(date)) => !is_same_moment(modified, &date),
        _ => false,
    };
    if !is_dated && etag.is_none_or(|etag| !is_strong(&etag)) {
        response.extensions_mut().insert(Unidentified);
    }
    if let Some(modified) = modified {
        response.headers_mut().remove(LAST_MODIFIED);
        response.extensions_mut().insert(Modified(modified));
    }
}

fn text(headers: &HeaderMap, name: http::HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Returns true if two times such as `Sun, 22 Nov 2026 00:00:00 GMT` differ by two seconds at most.
fn is_same_moment(one: &str, other: &str) -> bool {
    let split = |text: &str| {
        let (day, time) = text.strip_suffix(" GMT")?.rsplit_once(' ')?;
        let parts: Vec<i64> = time.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        let [hours, minutes, seconds] = parts[..] else { return None };
        Some((day.to_owned(), (hours * 60 + minutes) * 60 + seconds))
    };
    match (split(one), split(other)) {
        (Some((day, seconds)), Some((other_day, other_seconds))) => {
            day == other_day && (seconds - other_seconds).abs() <= 2
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_name_the_size() {
        assert!(parse_range("bytes 0-9/*").is_none() && parse_range("bytes */10").is_none());
        assert!(parse_range("bytes 0-9/10").is_some_and(|sent| (sent.first, sent.last, sent.size) == (0, 9, 10)));
    }

    #[test]
    fn a_moment_is_two_seconds() {
        let date = "Sun, 22 Nov 2026 00:00:01 GMT";
        assert!(is_same_moment("Sun, 22 Nov 2026 00:00:00 GMT", date));
        assert!(!is_same_moment("Sun, 22 Nov 2026 00:00:04 GMT", date));
        assert!(!is_same_moment("Sat, 21 Nov 2026 00:00:01 GMT", date) && !is_same_moment("now", date));
    }
}
