//! [`RecordStream`]: all rows of a query, page after page.

use std::{
    collections::VecDeque,
    fmt,
    future::{Future, IntoFuture as _, poll_fn},
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio_stream::Stream;
use uuid::Uuid;

use crate::{
    client::OrganizationServiceClient,
    entity::{Entity, EntityCollection},
    error::Error,
    fetch_xml,
    query::Query,
    typed::FromEntity,
    v1::{self, query::Query as Form},
};

type Page = Pin<Box<dyn Future<Output = Result<EntityCollection, Error>> + Send>>;

/// All rows of a query, in order, read page by page while they are consumed.
///
/// Pages follow each other by cookie, so rows that are added or deleted meanwhile shift nothing (PG-2).
/// Each page is read with the rights that the user has then. A page that fails for want of a connection
/// is repeated by the retry policy; if that gives up, the error is returned and the next call tries the
/// same page again. Any other error ends the stream.
#[must_use = "a stream reads nothing until it is asked for rows"]
pub struct RecordStream<T> {
    service: OrganizationServiceClient,
    timeout: Option<Duration>,
    query: Query,
    rows: VecDeque<Entity>,
    state: State,
    record: PhantomData<fn() -> T>,
}

enum State {
    /// The query stands at the page to read next.
    Idle,
    Reading(Page),
    Done,
}

impl<T: FromEntity> RecordStream<T> {
    pub(crate) fn new(service: OrganizationServiceClient, mut query: Query) -> Self {
        ask_for_columns::<T>(&mut query);
        Self {
            service,
            timeout: None,
            query,
            rows: VecDeque::new(),
            state: State::Idle,
            record: PhantomData,
        }
    }

    /// Reads for a user, whatever the handle says; takes effect with the next page.
    pub fn caller_id(mut self, user: Uuid) -> Self {
        self.service.caller_id = Some(user);
        self.service.caller_object_id = None;
        self
    }

    /// Time for each page, repeats included.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The next row; `None` after the last one.
    ///
    /// # Errors
    /// As [`retrieve_multiple`](OrganizationServiceClient::retrieve_multiple), and [`Error::Convert`] for a
    /// row that does not fit the type.
    pub async fn try_next(&mut self) -> Result<Option<T>, Error> {
        poll_fn(|context| self.poll_row(context)).await.transpose()
    }

    fn poll_row(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T, Error>>> {
        loop {
            if let Some(row) = self.rows.pop_front() {
                let row = T::from_entity(row).map_err(Error::from);
                if row.is_err() {
                    self.end();
                }
                return Poll::Ready(Some(row));
            }
            match &mut self.state {
                State::Done => return Poll::Ready(None),
                State::Idle => {
                    let mut call = self.service.retrieve_multiple(&self.query);
                    if let Some(timeout) = self.timeout {
                        call = call.timeout(timeout);
                    }
                    self.state = State::Reading(call.into_future());
                }
                State::Reading(page) => match ready!(page.as_mut().poll(context)) {
                    Ok(page) => {
                        let more = page.more_records
                            && turn_page(&mut self.query, page.paging_cookie.as_deref());
                        self.state = if more { State::Idle } else { State::Done };
                        self.rows = page.entities.into();
                    }
                    Err(error) => {
                        // The query still stands at this page, so asking again resumes.
                        self.state = if error.is_retryable() {
                            State::Idle
                        } else {
                            State::Done
                        };
                        return Poll::Ready(Some(Err(error)));
                    }
                },
            }
        }
    }

    fn end(&mut self) {
        self.rows.clear();
        self.state = State::Done;
    }
}

impl<T: FromEntity> Stream for RecordStream<T> {
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_row(context)
    }
}

impl<T> fmt::Debug for RecordStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordStream")
            .field("query", &self.query)
            .field("buffered", &self.rows.len())
            .finish_non_exhaustive()
    }
}

/// A query that names no columns gets those of the type. FetchXML without columns returns all anyway.
fn ask_for_columns<T: FromEntity>(query: &mut Query) {
    let Some(columns) = T::columns() else { return };
    match query.form_mut() {
        Form::QueryExpression(query) => {
            query.column_set.get_or_insert_with(|| columns.into());
        }
        Form::QueryByAttribute(query) => {
            query.column_set.get_or_insert_with(|| columns.into());
        }
        Form::FetchXml(_) => {}
    }
}

/// Moves the query to the page after the one that was read. `false` if it cannot be paged: a query with
/// `top` has one page (QL-1).
fn turn_page(query: &mut Query, cookie: Option<&str>) -> bool {
    let cookie = cookie.unwrap_or_default();
    let paging = match query.form_mut() {
        Form::QueryExpression(query) if query.top_count.is_none() => &mut query.page_info,
        Form::QueryByAttribute(query) if query.top_count.is_none() => &mut query.page_info,
        Form::QueryExpression(_) | Form::QueryByAttribute(_) => return false,
        Form::FetchXml(text) => {
            let page = fetch_xml::page(text).saturating_add(1);
            return match fetch_xml::at_page(text, page, cookie) {
                Some(paged) => {
                    *text = paged;
                    true
                }
                None => false,
            };
        }
    };
    let paging = paging.get_or_insert_with(v1::PagingInfo::default);
    paging.page_number = paging.page_number.max(1).saturating_add(1);
    cookie.clone_into(&mut paging.paging_cookie);
    true
}
