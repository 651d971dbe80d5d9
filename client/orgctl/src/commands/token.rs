//! `token`: the tokens by which users authenticate.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use jiff::{SignedDuration, Timestamp};
use orgservice_client::{Token, Uuid};
use serde_json::json;

use crate::{
    failure::{Failure, Result},
    names,
    output::Output,
    session::Session,
    value::time,
};

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token for a user. It is shown this once; the server keeps only its hash.
    Create {
        /// User: id, domain name, full name or e-mail address.
        user: String,
        /// What the token is for.
        #[arg(long, default_value = "orgctl")]
        label: String,
        /// When it ends: a day, a point in time, or a number of days such as 30d.
        #[arg(long, value_parser = expiry, value_name = "TIME")]
        expires: Option<Timestamp>,
        /// Save the token to a file that only its owner can read, instead of printing it.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// List tokens; never the tokens themselves.
    List {
        /// Only those of a user: id, domain name, full name or e-mail address.
        #[arg(long, value_name = "USER")]
        of: Option<String>,
    },
    /// Revoke a token for every request that starts afterwards.
    Revoke {
        /// Id of the token, as listed.
        id: Uuid,
    },
}

/// Runs a command on tokens.
pub async fn run(command: &TokenCommand, session: &Session, out: &mut Output) -> Result<()> {
    let service = &session.service;
    match command {
        TokenCommand::Create {
            user,
            label,
            expires,
            save: file,
        } => {
            let user = names::user(service, user).await?;
            let mut call = service.create_token(user, label);
            if let Some(time) = expires {
                call = call.expire_time(*time);
            }
            let token = call.await?;
            match file {
                None => out.done(
                    &token.token,
                    json!({ "tokenId": token.token_id, "token": token.token }),
                ),
                Some(file) => {
                    save(file, &token.token)?;
                    out.done(
                        &format!("token {} is saved to {}", token.token_id, file.display()),
                        json!({ "tokenId": token.token_id, "file": file }),
                    )
                }
            }
        }
        TokenCommand::List { of } => {
            let mut call = service.list_tokens();
            if let Some(user) = of {
                call = call.user(names::user(service, user).await?);
            }
            show(&call.await?, out)
        }
        TokenCommand::Revoke { id } => {
            service.revoke_token(*id).await?;
            out.done(&format!("token {id} is revoked"), json!({ "tokenId": id }))
        }
    }
}

fn show(tokens: &[Token], out: &mut Output) -> Result<()> {
    let text = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    if out.is_json() {
        let tokens: Vec<_> = tokens
            .iter()
            .map(|token| {
                json!({
                    "tokenId": token.token_id,
                    "userId": token.user_id,
                    "label": token.label,
                    "createTime": text(token.create_time),
                    "createdBy": token.created_by,
                    "expireTime": text(token.expire_time),
                    "revokeTime": text(token.revoke_time),
                })
            })
            .collect();
        return out.json(&json!({ "tokens": tokens }));
    }
    let rows = tokens
        .iter()
        .map(|token| {
            vec![
                token.token_id.to_string(),
                token.user_id.to_string(),
                token.label.clone(),
                text(token.create_time),
                text(token.expire_time),
                text(token.revoke_time),
            ]
        })
        .collect();
    out.table(
        &["id", "user", "label", "created", "expires", "revoked"],
        rows,
    )
}

/// Writes a secret to a file that nobody else can read, not even while it is being written.
pub fn save(file: &Path, secret: &str) -> Result<()> {
    write_private(file, secret)
        .map_err(|error| Failure::usage(format!("cannot write `{}`: {error}", file.display())))
}

fn write_private(path: &Path, secret: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    // The mode above is for new files only; an old one may be open to others.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    writeln!(file, "{secret}")
}

fn expiry(text: &str) -> std::result::Result<Timestamp, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
    let time = match days {
        Some(days) => i64::checked_mul(days, 24).and_then(|hours| {
            Timestamp::now()
                .checked_add(SignedDuration::from_hours(hours))
                .ok()
        }),
        None => time(text),
    };
    time.ok_or_else(|| format!("`{text}` is no day, no time and no number of days such as 30d"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn tokens_end_on_a_day_or_after_days() {
        assert_eq!(
            expiry("2030-01-31").unwrap().to_string(),
            "2030-01-31T00:00:00Z"
        );
        let ends = expiry("30d").unwrap();
        let days = ends.duration_since(Timestamp::now()).as_hours() / 24;
        assert!((29..=30).contains(&days), "{days}");
        assert!(expiry("soon").is_err());
        assert!(expiry("9223372036854775807d").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn secrets_are_for_their_owner_only() {
        use std::os::unix::fs::PermissionsExt;

        let name = format!("orgctl-token-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, "an older and longer secret").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        save(&path, "secret").unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(text, "secret\n");
    }
}
