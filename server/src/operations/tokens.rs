//! Bearer tokens: made, listed and revoked by administrators (`grpc.md` 3.3).
//!
//! A token is stored under the hash of its secret, which never comes this far down.

use std::sync::Arc;

use jiff::Timestamp;
use orgservice_security::UserId;
use uuid::Uuid;

use super::{Work, missing};
use crate::{
    directory::{StoredToken, Token},
    fault::{Fault, Result},
    limits,
    storage::{keys, sealed},
};

/// Makes a token for a user, known from now on by the hash of its secret; returns its public id. The
/// all-zero user is a host without a user row, known by the label.
///
/// # Errors
/// `PrivilegeDenied` for whoever is no System Administrator; `ObjectDoesNotExist` for an unknown or
/// built-in user; `InvalidArgument` for a label that is empty or too long, or a time that has
/// passed.
pub fn create(
    work: &mut Work<'_>,
    user: Uuid,
    label: &str,
    expires: Option<Timestamp>,
    hash: [u8; 32],
) -> Result<Uuid> {
    work.require_administrator()?;
    let known = work
        .directory()
        .user(UserId(user))
        .filter(|user| !user.is_built_in());
    // A token of nobody is that of a trusted host without a user row (IM-4): only the deployment can
    // make one, since a request cannot name the all-zero id (G-8).
    if known.is_none() && !user.is_nil() {
        return Err(missing("systemuser", user));
    }
    let label = label.trim();
    if label.is_empty() {
        return Err(Fault::invalid_argument(
            "label",
            "a token needs a label to be known by",
        ));
    }
    if label.chars().count() > limits::TOKEN_LABEL_CHARACTERS_MAX {
        let limit = limits::TOKEN_LABEL_CHARACTERS_MAX;
        let description = format!("a label has at most {limit} characters");
        return Err(Fault::invalid_argument("label", description)
            .limit("token_label_characters_max", limit));
    }
    if expires.is_some_and(|expires| expires <= work.now()) {
        return Err(Fault::invalid_argument(
            "expire_time",
            "the token would have expired already",
        ));
    }
    let created_by = work.caller().authenticated.unwrap_or(work.subject());
    let token = StoredToken {
        id: work.new_id(),
        user,
        label: label.to_owned(),
        created: work.now(),
        created_by: created_by.0,
        expires,
        revoked: None,
    };
    let id = token.id;
    store(work, hash, token)?;
    Ok(id)
}

/// The tokens of a user, or of everybody, oldest first; revoked and expired ones too.
///
/// # Errors
/// `PrivilegeDenied` for whoever is no System Administrator.
pub fn list(work: &Work<'_>, user: Option<Uuid>) -> Result<Vec<Arc<Token>>> {
    work.require_administrator()?;
    let tokens = work
        .directory()
        .tokens()
        .map(|(_, token)| Arc::clone(token));
    let mut tokens: Vec<_> = tokens
        .filter(|token| user.is_none_or(|user| token.user == UserId(user)))
        .collect();
    tokens.sort_by_key(|token| (token.created, token.id));
    Ok(tokens)
}

/// Ends a token for every request that starts afterwards; ending it again is no error.
///
/// # Errors
/// `PrivilegeDenied` for whoever is no System Administrator; `ObjectDoesNotExist` for an id that is
/// no token's.
pub fn revoke(work: &mut Work<'_>, id: Uuid) -> Result<()> {
    work.require_administrator()?;
    let found = work.directory().tokens().find(|(_, token)| token.id == id);
    let Some(hash) = found.map(|(hash, _)| *hash) else {
        return Err(missing("token", id));
    };
    let key = keys::token(&hash);
    let Some(bytes) = work.view().get(&key)? else {
        return Err(missing("token", id));
    };
    let mut token: StoredToken = sealed::open(&key, &bytes)?;
    if token.revoked.is_some() {
        return Ok(());
    }
    token.revoked = Some(work.now());
    store(work, hash, token)
}

fn store(work: &mut Work<'_>, hash: [u8; 32], token: StoredToken) -> Result<()> {
    let sealed = sealed::seal(&token)?;
    work.transaction()?.put(keys::token(&hash), sealed);
    work.change_directory(|_, directory| directory.apply_token(hash, Some(token)));
    Ok(())
}
