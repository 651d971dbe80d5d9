//! When a call is repeated: [`RetryPolicy::next_delay`] decides, nothing else does.

use std::time::Duration;

use tonic::Code;

use crate::error::{Error, fault_code};

/// How often and for how long a call is repeated.
///
/// What is repeated is not configurable, because it follows from what is safe (GO-2, GO-3); the table is
/// at [`next_delay`](Self::next_delay).
///
/// ```
/// # use std::time::Duration;
/// # use orgservice_client::RetryPolicy;
/// let patient = RetryPolicy { tries: 10, total: Duration::from_secs(60), ..RetryPolicy::default() };
/// assert_eq!(RetryPolicy::default().tries, 5);
/// # let _ = (patient, RetryPolicy::none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all, the first one included. 1 repeats nothing.
    pub tries: u32,
    /// No try starts later than this after the first one.
    pub total: Duration,
    /// Upper bound of the delay before the second try; it doubles with each further one.
    pub first_delay: Duration,
    /// Upper bound of every delay.
    pub max_delay: Duration,
}

impl Default for RetryPolicy {
    /// 5 tries, all begun within 10 s, delays up to 0.1 s, 0.2 s, 0.4 s, …, never above 3 s.
    fn default() -> Self {
        Self {
            tries: 5,
            total: Duration::from_secs(10),
            first_delay: Duration::from_millis(100),
            max_delay: Duration::from_secs(3),
        }
    }
}

/// Whether running a call a second time does harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It only reads, or a repeat changes nothing; or the server remembers it by its `request_id` and
    /// answers a repeat from memory (GO-2).
    Harmless,
    /// It writes and the server would not notice that it is a repeat.
    Harmful,
}

/// What a failure says about the call: did it run, and is another try worth it?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection could be made: nothing was sent.
    NotSent,
    /// UNAVAILABLE, DEADLINE_EXCEEDED or a broken connection: the call may have run.
    Unknown,
    /// RESOURCE_EXHAUSTED with RetryInfo: nothing ran, and the server says when to come back.
    Throttled(Duration),
    /// WRITE_CONFLICT: others wrote the same record, nothing was stored (TX-4).
    Conflict,
    /// Everything else: the answer would be the same.
    Final,
}

impl Failure {
    /// Classifies an error.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        match error {
            Error::Transport(error) if error.not_sent => Self::NotSent,
            Error::Transport(error) => match error.code {
                Code::Unavailable | Code::DeadlineExceeded => Self::Unknown,
                _ => Self::Final,
            },
            Error::Fault(fault) => match (fault.status, fault.retry_after) {
                (Some(Code::ResourceExhausted), Some(delay)) => Self::Throttled(delay),
                (Some(Code::Unavailable | Code::DeadlineExceeded), _) => Self::Unknown,
                _ if fault.code == fault_code::WRITE_CONFLICT => Self::Conflict,
                _ => Self::Final,
            },
            Error::Convert(_) | Error::Config(_) => Self::Final,
        }
    }
}

impl RetryPolicy {
    /// Repeats nothing.
    #[must_use]
    pub fn none() -> Self {
        Self {
            tries: 1,
            ..Self::default()
        }
    }

    /// How long to wait before the next try, or `None` to give up: the one place that decides.
    ///
    /// | failure | repeat is harmless | repeat is harmful | delay |
    /// |---|---|---|---|
    /// | [`NotSent`](Failure::NotSent) | again | again | jitter |
    /// | [`Unknown`](Failure::Unknown) | again | give up | jitter |
    /// | [`Throttled`](Failure::Throttled) | again | again | as told, plus jitter |
    /// | [`Conflict`](Failure::Conflict) | again | again | jitter |
    /// | [`Final`](Failure::Final) | give up | give up | |
    ///
    /// Harmless are reads, and writes with a `request_id`, which the SDK puts on every write that the
    /// server remembers unless told otherwise. Every row gives up after `tries`, and when the next try
    /// would start later than `total` after the first. Jitter is full: evenly between zero and
    /// `first_delay · 2^(tried - 1)`, at most `max_delay`.
    ///
    /// `tried` counts the tries made, `elapsed` is the time since the first began, and `random` is in
    /// `0.0..1.0`.
    #[must_use]
    pub fn next_delay(
        &self,
        failure: Failure,
        repeat: Repeat,
        tried: u32,
        elapsed: Duration,
        random: f64,
    ) -> Option<Duration> {
        if tried >= self.tries {
            return None;
        }
        let doubled = self
            .first_delay
            .saturating_mul(2_u32.saturating_pow(tried.saturating_sub(1)));
        let most = doubled.min(self.max_delay);
        let jitter = Duration::try_from_secs_f64(most.as_secs_f64() * random.clamp(0.0, 1.0))
            .unwrap_or(most);
        let delay = match (failure, repeat) {
            (Failure::NotSent | Failure::Conflict, _) | (Failure::Unknown, Repeat::Harmless) => {
                jitter
            }
            (Failure::Throttled(told), _) => told.saturating_add(jitter),
            (Failure::Unknown, Repeat::Harmful) | (Failure::Final, _) => return None,
        };
        (elapsed.saturating_add(delay) <= self.total).then_some(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn the_table() {
        use Failure::{Conflict, Final, NotSent, Throttled, Unknown};
        use Repeat::{Harmful, Harmless};

        let policy = RetryPolicy::default();
        // (failure, repeat, tried, elapsed, random) -> delay
        let table = [
            (NotSent, Harmless, 1, MS(0), 1.0, Some(MS(100))),
            (NotSent, Harmful, 1, MS(0), 1.0, Some(MS(100))),
            (Unknown, Harmless, 1, MS(0), 1.0, Some(MS(100))),
            (Unknown, Harmful, 1, MS(0), 1.0, None),
            (Throttled(MS(700)), Harmless, 1, MS(0), 0.0, Some(MS(700))),
            (Throttled(MS(700)), Harmful, 1, MS(0), 1.0, Some(MS(800))),
            (Conflict, Harmless, 1, MS(0), 1.0, Some(MS(100))),
            (Conflict, Harmful, 1, MS(0), 1.0, Some(MS(100))),
            (Final, Harmless, 1, MS(0), 1.0, None),
            (Final, Harmful, 1, MS(0), 1.0, None),
            // Exponential, full jitter, capped.
            (Unknown, Harmless, 2, MS(0), 1.0, Some(MS(200))),
            (Unknown, Harmless, 4, MS(0), 1.0, Some(MS(800))),
            (Unknown, Harmless, 4, MS(0), 0.5, Some(MS(400))),
            (Unknown, Harmless, 4, MS(0), 0.0, Some(MS(0))),
            // The fifth try was the last one.
            (Unknown, Harmless, 5, MS(0), 1.0, None),
            (NotSent, Harmful, 5, MS(0), 1.0, None),
            // The next try would start too late.
            (Unknown, Harmless, 1, MS(9_900), 1.0, Some(MS(100))),
            (Unknown, Harmless, 1, MS(9_901), 1.0, None),
            (Throttled(MS(10_001)), Harmless, 1, MS(0), 0.0, None),
        ];
        for (failure, repeat, tried, elapsed, random, expected) in table {
            assert_eq!(
                policy.next_delay(failure, repeat, tried, elapsed, random),
                expected,
                "{failure:?} {repeat:?} tried {tried} after {elapsed:?} random {random}",
            );
        }
    }

    #[test]
    fn delays_never_exceed_the_cap_nor_overflow() {
        let policy = RetryPolicy {
            tries: u32::MAX,
            total: Duration::MAX,
            ..RetryPolicy::default()
        };
        for tried in [6, 7, 40, u32::MAX - 1] {
            let delay = policy.next_delay(
                Failure::Unknown,
                Repeat::Harmless,
                tried,
                Duration::ZERO,
                1.0,
            );
            assert_eq!(delay, Some(policy.max_delay), "tried {tried}");
        }
        let told = policy.next_delay(
            Failure::Throttled(Duration::MAX),
            Repeat::Harmless,
            1,
            Duration::MAX,
            1.0,
        );
        assert_eq!(told, Some(Duration::MAX));
    }

    #[test]
    fn extreme_policies_are_harmless() {
        let policy = RetryPolicy {
            tries: u32::MAX,
            total: Duration::MAX,
            first_delay: Duration::MAX,
            max_delay: Duration::MAX,
        };
        for random in [0.0, 0.5, 1.0, 7.0, -1.0] {
            let delay =
                policy.next_delay(Failure::NotSent, Repeat::Harmless, 3, Duration::MAX, random);
            assert!(delay.is_some(), "{random}");
        }
    }

    #[test]
    fn none_repeats_nothing() {
        let delay =
            RetryPolicy::none().next_delay(Failure::NotSent, Repeat::Harmless, 1, MS(0), 0.0);
        assert_eq!(delay, None);
    }
}
