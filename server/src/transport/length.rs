//! The length of a message, read before its content is: too long a one is refused with details that
//! tonic's own refusal lacks (`grpc.md` 12), and large ones share a budget.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tonic::{Status, body::Body};
use uuid::Uuid;

use super::{call::Reservation, status::status};
use crate::{
    fault::{Fault, FaultCode},
    limits,
};

/// Bytes before a message: a flag, and four of its length.
const PREFIX: usize = 5;

/// Bytes that one permit of the budget stands for.
const UNIT: usize = 1024;

/// The budget of all large messages that are being received or worked on.
#[derive(Clone, Debug)]
pub(super) struct Budget(Arc<Semaphore>);

impl Budget {
    /// A budget of so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Budget(Arc::new(Semaphore::new(bytes / UNIT)))
    }
}

type Acquiring = Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send>>;

/// A request body that looks at the length prefix of its first message.
///
/// Unary requests have one message. Of a stream of requests the first is looked at; tonic's bound
/// holds for the others.
pub(super) struct LengthChecked {
    inner: Body,
    activity_id: Uuid,
    budget: Budget,
    reservation: Reservation,
    state: State,
}

enum State {
    /// Bytes of the prefix, and how many of them were seen.
    Prefix([u8; PREFIX], usize),
    /// The prefix is complete; the frame that completed it waits for room in the budget.
    Waiting(Acquiring, Option<Frame<Bytes>>),
    /// Nothing is left to check.
    Passing,
}

impl LengthChecked {
    /// Checks `inner` for the call of that id; `reservation` keeps its place in the budget.
    pub(super) fn new(
        inner: Body,
        activity_id: Uuid,
        budget: Budget,
        reservation: Reservation,
    ) -> Self {
        let state = State::Prefix([0; PREFIX], 0);
        LengthChecked {
            inner,
            activity_id,
            budget,
            reservation,
            state,
        }
    }

    /// Whether a message may be read at once, must wait for room, or is refused.
    fn judge(&self, prefix: [u8; PREFIX]) -> Result<Option<Acquiring>, Status> {
        let [_compressed, length @ ..] = prefix;
        let length = u32::from_be_bytes(length) as usize;
        if length > limits::MESSAGE_BYTES_MAX {
            let message = format!(
                "the message has {length} bytes, more than message_bytes_max = {}",
                limits::MESSAGE_BYTES_MAX
            );
            let fault = Fault::new(FaultCode::RequestLengthTooLarge, message)
                .limit("message_bytes_max", limits::MESSAGE_BYTES_MAX);
            return Err(status(&fault, self.activity_id));
        }
        if length <= limits::REQUEST_BYTES_UNCOUNTED {
            return Ok(None);
        }
        let units = u32::try_from(length.div_ceil(UNIT)).unwrap_or(u32::MAX);
        Ok(Some(Box::pin(
            Arc::clone(&self.budget.0).acquire_many_owned(units),
        )))
    }
}

impl http_body::Body for LengthChecked {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        loop {
            match &mut this.state {
                State::Passing => return Pin::new(&mut this.inner).poll_frame(cx),
                State::Waiting(acquiring, frame) => {
                    // The semaphore is never closed; without a permit the message is just not
                    // counted.
                    *this.reservation.0.lock() = ready!(acquiring.as_mut().poll(cx)).ok();
                    let frame = frame.take();
                    this.state = State::Passing;
                    return Poll::Ready(frame.map(Ok));
                }
                State::Prefix(prefix, seen) => {
                    let frame = match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
                        Some(Ok(frame)) => frame,
                        other => return Poll::Ready(other),
                    };
                    let data = frame.data_ref().map_or(&[][..], |data| data);
                    for (place, byte) in prefix.iter_mut().skip(*seen).zip(data) {
                        *place = *byte;
                        *seen += 1;
                    }
                    if *seen < PREFIX {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                    let prefix = *prefix;
                    this.state = State::Passing;
                    match this.judge(prefix) {
                        Ok(None) => return Poll::Ready(Some(Ok(frame))),
                        Ok(Some(acquiring)) => this.state = State::Waiting(acquiring, Some(frame)),
                        Err(status) => return Poll::Ready(Some(Err(status))),
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        !matches!(self.state, State::Waiting(..)) && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            // The frame that waits is no longer counted by the body it came from.
            State::Waiting(..) => SizeHint::default(),
            State::Prefix(..) | State::Passing => self.inner.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use std::{collections::VecDeque, task::Waker};

    use http_body::Body as _;
    use tonic::Code;
    use tonic_types::StatusExt as _;

    use super::*;

    /// A body of the frames it is given.
    struct Frames(VecDeque<Bytes>);

    impl http_body::Body for Frames {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            Poll::Ready(self.0.pop_front().map(|data| Ok(Frame::data(data))))
        }
    }

    fn checked(length: usize, cuts: &[usize], budget: &Budget) -> LengthChecked {
        let mut bytes = vec![0];
        bytes.extend(u32::try_from(length).unwrap().to_be_bytes());
        bytes.extend([b'x'; 10]);
        let mut rest = Bytes::from(bytes);
        let mut frames: VecDeque<_> = cuts.iter().map(|cut| rest.split_to(*cut)).collect();
        frames.push_back(rest);
        let body = Body::new(Frames(frames));
        LengthChecked::new(
            body,
            Uuid::from_u128(7),
            budget.clone(),
            Reservation::default(),
        )
    }

    fn poll(body: &mut LengthChecked) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop()))
    }

    /// What comes through, until the body ends, waits or refuses.
    fn drain(body: &mut LengthChecked) -> (usize, Poll<Option<Status>>) {
        let mut bytes = 0;
        loop {
            match poll(body) {
                Poll::Ready(Some(Ok(frame))) => bytes += frame.into_data().unwrap().len(),
                Poll::Ready(Some(Err(status))) => return (bytes, Poll::Ready(Some(status))),
                Poll::Ready(None) => return (bytes, Poll::Ready(None)),
                Poll::Pending => return (bytes, Poll::Pending),
            }
        }
    }

    const CUTS: [&[usize]; 4] = [&[], &[5], &[1, 1, 1, 1], &[0, 4, 0]];

    #[test]
    fn a_message_within_the_bound_passes_unchanged_however_it_is_cut() {
        let budget = Budget::new(limits::REQUEST_BYTES_IN_FLIGHT_MAX);
        for cuts in CUTS {
            for length in [0, 10, limits::MESSAGE_BYTES_MAX] {
                let (bytes, end) = drain(&mut checked(length, cuts, &budget));
                assert_eq!(bytes, 15, "{cuts:?}");
                assert!(matches!(end, Poll::Ready(None)));
            }
        }
    }

    #[test]
    fn a_longer_message_is_out_of_range_and_names_the_limit() {
        let budget = Budget::new(limits::REQUEST_BYTES_IN_FLIGHT_MAX);
        for cuts in CUTS {
            let mut body = checked(limits::MESSAGE_BYTES_MAX + 1, cuts, &budget);
            let (bytes, Poll::Ready(Some(status))) = drain(&mut body) else {
                unreachable!()
            };
            assert!(bytes < PREFIX, "nothing of the message came through");
            assert_eq!(status.code(), Code::OutOfRange);
            let info = status.get_details_error_info().unwrap();
            assert_eq!(info.reason, "REQUEST_LENGTH_TOO_LARGE");
            assert_eq!(info.metadata["limit"], "message_bytes_max");
            assert_eq!(
                info.metadata["limitValue"],
                limits::MESSAGE_BYTES_MAX.to_string()
            );
        }
    }

    #[test]
    fn large_messages_wait_for_each_other_and_small_ones_for_nobody() {
        let large = limits::REQUEST_BYTES_UNCOUNTED + 1;
        let budget = Budget::new(large.next_multiple_of(UNIT));
        let mut first = checked(large, &[], &budget);
        let mut second = checked(large, &[], &budget);
        assert_eq!(drain(&mut first).0, 15);
        let (bytes, end) = drain(&mut second);
        assert_eq!(bytes, 0);
        assert!(end.is_pending() && !second.is_end_stream());
        assert_eq!(drain(&mut checked(10, &[], &budget)).0, 15);
        // The place is kept by the call, not by the body.
        let reservation = first.reservation.clone();
        drop(first);
        assert!(drain(&mut second).1.is_pending());
        drop(reservation);
        assert_eq!(drain(&mut second).0, 15);
    }
}
