//! [`Session`]: the connection, and whom it acts for.

use std::{fs, path::Path, time::Duration};

use orgservice_client::{OrganizationServiceClient, Uuid};

use crate::{
    cli::Global,
    failure::{Failure, Result},
    names,
};

/// A connection to the server.
pub struct Session {
    /// Acts for the impersonated user, if one is named.
    pub service: OrganizationServiceClient,
    /// Acts for nobody but the authenticated user.
    pub authenticated: OrganizationServiceClient,
    /// The impersonated user, if named by `--as`.
    pub act_as: Option<Uuid>,
}

impl Session {
    /// Connects, and finds the user of `--as`.
    pub async fn open(global: &Global) -> Result<Self> {
        let mut builder = OrganizationServiceClient::builder(&global.address)
            .timeout(Duration::from_secs(global.timeout));
        let token = match &global.token_file {
            Some(file) => Some(read(file)?.trim().to_owned()),
            None => global.token.clone(),
        };
        if let Some(token) = token {
            builder = builder.token(token);
        }
        if let Some(file) = &global.ca {
            builder = builder.ca_certificate(read(file)?);
        }
        if global.plaintext_token {
            builder = builder.allow_plaintext_token();
        }
        let authenticated = builder.connect().await?;
        let act_as = match &global.act_as {
            Some(user) => Some(names::user(&authenticated, user).await?),
            None => None,
        };
        let mut service = authenticated.clone();
        service.caller_id = act_as;
        service.caller_object_id = global.as_object_id;
        Ok(Self {
            service,
            authenticated,
            act_as,
        })
    }
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("cannot read `{}`: {error}", file.display())))
}
