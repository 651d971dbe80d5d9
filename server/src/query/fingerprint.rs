//! The parts of a query that a cookie is bound to, as bytes (PG-4).
//!
//! Written out rather than derived, so that a cookie survives a restart and moves between servers of
//! one release.

use super::{
    bind::BoundQuery,
    filter::{Comparison, Literal, Operand, Predicate, Test, TextMatcher},
    order::encoded,
};

/// Appends table, filter, links and orders.
pub fn write(query: &BoundQuery, out: &mut Vec<u8>) {
    out.extend_from_slice(&query.table.code.0.to_be_bytes());
    put_bytes(out, query.links.as_ref().map_or(&[], |links| &links.start));
    put_predicate(out, &query.filter);
    for order in &query.orders {
        put_operand(out, order.operand);
        out.push(u8::from(order.descending));
    }
}

fn put_predicate(out: &mut Vec<u8>, predicate: &Predicate) {
    match predicate {
        Predicate::All(parts) => put_parts(out, b'&', parts),
        Predicate::Any(parts) => put_parts(out, b'|', parts),
        Predicate::Test(operand, test) => {
            out.push(b'?');
            put_operand(out, *operand);
            put_test(out, test);
        }
    }
}

fn put_parts(out: &mut Vec<u8>, tag: u8, parts: &[Predicate]) {
    out.push(tag);
    put_length(out, parts.len());
    for part in parts {
        put_predicate(out, part);
    }
}

fn put_test(out: &mut Vec<u8>, test: &Test) {
    match test {
        Test::IsNull(expected) => out.extend_from_slice(&[b'0', u8::from(*expected)]),
        Test::Compare(comparison, literal) => {
            out.extend_from_slice(&[b'=', number(*comparison)]);
            put_literal(out, literal);
        }
        Test::OneOf { literals, negated } => {
            out.extend_from_slice(&[b'i', u8::from(*negated)]);
            put_length(out, literals.len());
            for literal in literals {
                put_literal(out, literal);
            }
        }
        Test::Between { from, to, negated } => {
            out.extend_from_slice(&[b'b', u8::from(*negated)]);
            put_literal(out, from);
            put_literal(out, to);
        }
        Test::Text { matcher, negated } => {
            out.extend_from_slice(&[b't', u8::from(*negated)]);
            let (tag, text) = match matcher {
                TextMatcher::Like(pattern) => (b'%', pattern.text()),
                TextMatcher::BeginsWith(text) => (b'^', text.as_str()),
                TextMatcher::EndsWith(text) => (b'$', text.as_str()),
                TextMatcher::Contains(text) => (b'*', text.as_str()),
            };
            out.push(tag);
            put_bytes(out, text.as_bytes());
        }
        Test::CompareColumn(comparison, other) => {
            out.extend_from_slice(&[b'c', number(*comparison)]);
            put_operand(out, *other);
        }
        Test::PointsAt { table, id } => {
            out.push(b'p');
            put_bytes(out, table.as_bytes());
            out.extend_from_slice(id.as_bytes());
        }
    }
}

fn number(comparison: Comparison) -> u8 {
    match comparison {
        Comparison::Equal => 0,
        Comparison::NotEqual => 1,
        Comparison::Greater => 2,
        Comparison::GreaterEqual => 3,
        Comparison::Less => 4,
        Comparison::LessEqual => 5,
    }
}

fn put_operand(out: &mut Vec<u8>, operand: Operand) {
    put_length(out, operand.column);
    out.push(u8::from(operand.name));
}

fn put_literal(out: &mut Vec<u8>, literal: &Literal) {
    put_bytes(out, &encoded(&literal.value));
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&(length as u64).to_be_bytes());
}
