//! `#[derive(Entity)]`: a Rust struct for the records of one table.
//!
//! Used through `orgservice_client::Entity`, whose documentation of `TypedEntity` shows it at work.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    Attribute, Data, DeriveInput, Field, Fields, Ident, LitStr, Result, Type, ext::IdentExt as _,
    meta::ParseNestedMeta, parse_macro_input, spanned::Spanned as _,
};

/// Implements `TypedEntity` for a struct with named fields, and `From` into `Entity`.
///
/// On the struct:
/// - `#[entity(logical_name = "account")]`, required: the table.
///
/// On a field, whose name is the column's logical name unless said otherwise:
/// - `#[entity(column = "telephone1")]`: another logical name than the field's.
/// - `#[entity(primary_id)]`: the id of the record; `Uuid` or `Option<Uuid>`. At most one field.
/// - `#[entity(lookup = "contact")]`: a reference to that table; `EntityReference` or `Uuid`, or an
///   `Option` of them. A reference to another table does not convert.
/// - `#[entity(row_version)]`: the version of the record, `Option<u64>`. At most one field.
///
/// `Option` fields read an absent column as `None` and write `None` as null; other fields need a value.
#[proc_macro_derive(Entity, attributes(entity))]
pub fn derive_entity(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// What a field of the struct stands for.
enum Role {
    PrimaryId,
    Lookup(LitStr),
    RowVersion,
    Plain,
}

struct Member<'a> {
    name: &'a Ident,
    kind: &'a Type,
    column: LitStr,
    role: Role,
}

fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let logical_name = logical_name(input)?;
    let members = members(input)?;
    only_one(&members, "primary_id", |role| {
        matches!(role, Role::PrimaryId)
    })?;
    only_one(&members, "row_version", |role| {
        matches!(role, Role::RowVersion)
    })?;

    let name = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let columns = members
        .iter()
        .filter(|member| !matches!(member.role, Role::RowVersion))
        .map(|member| &member.column);
    let reads = members.iter().map(read);
    let writes = members.iter().map(write);

    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::orgservice_client::TypedEntity for #name #type_generics #where_clause {
            const LOGICAL_NAME: &'static str = #logical_name;
            const COLUMNS: &'static [&'static str] = &[#(#columns),*];

            fn from_entity(
                mut entity: ::orgservice_client::Entity,
            ) -> ::core::result::Result<Self, ::orgservice_client::ConvertError> {
                ::orgservice_client::derive_support::check_table(&entity, #logical_name)?;
                ::core::result::Result::Ok(Self { #(#reads),* })
            }

            fn to_entity(&self) -> ::orgservice_client::Entity {
                let mut entity = ::orgservice_client::Entity::new(#logical_name);
                #(#writes)*
                entity
            }
        }

        #[automatically_derived]
        impl #impl_generics ::core::convert::From<#name #type_generics>
            for ::orgservice_client::Entity #where_clause
        {
            fn from(record: #name #type_generics) -> Self {
                ::orgservice_client::TypedEntity::to_entity(&record)
            }
        }

        #[automatically_derived]
        impl #impl_generics ::core::convert::From<&#name #type_generics>
            for ::orgservice_client::Entity #where_clause
        {
            fn from(record: &#name #type_generics) -> Self {
                ::orgservice_client::TypedEntity::to_entity(record)
            }
        }
    })
}

/// `field: value read from the entity`. Spanned like the field's type, so that a type that no column can
/// hold is reported there.
fn read(member: &Member<'_>) -> TokenStream {
    let Member {
        name,
        kind,
        column,
        role,
    } = member;
    let span = kind.span();
    let value = match role {
        Role::PrimaryId => quote_spanned! {span=>
            <#kind as ::orgservice_client::IdField>::from_id(#column, entity.id)?
        },
        Role::Lookup(table) => quote_spanned! {span=>
            <#kind as ::orgservice_client::LookupField>::from_lookup(
                #column,
                #table,
                entity.attributes.remove(#column),
            )?
        },
        Role::RowVersion => quote_spanned! {span=> entity.row_version },
        Role::Plain => quote_spanned! {span=> entity.take::<#kind>(#column)? },
    };
    quote! { #name: #value }
}

fn write(member: &Member<'_>) -> TokenStream {
    let Member {
        name,
        kind,
        column,
        role,
    } = member;
    let span = kind.span();
    match role {
        Role::PrimaryId => quote_spanned! {span=>
            entity.id = <#kind as ::orgservice_client::IdField>::to_id(&self.#name);
        },
        Role::Lookup(table) => quote_spanned! {span=>
            entity.insert(
                #column,
                <#kind as ::orgservice_client::LookupField>::to_lookup(&self.#name, #table),
            );
        },
        Role::RowVersion => quote_spanned! {span=> entity.row_version = self.#name; },
        Role::Plain => quote_spanned! {span=>
            entity.insert(
                #column,
                <::orgservice_client::Value as ::core::convert::From<#kind>>::from(
                    ::core::clone::Clone::clone(&self.#name),
                ),
            );
        },
    }
}

fn logical_name(input: &DeriveInput) -> Result<LitStr> {
    let mut found = None;
    each_setting(&input.attrs, |meta| {
        if meta.path.is_ident("logical_name") {
            set_once(&mut found, text(&meta)?, &meta)
        } else {
            Err(meta.error("unknown setting, expected `logical_name`"))
        }
    })?;
    found.ok_or_else(|| {
        syn::Error::new(
            Span::call_site(),
            "the table is missing: add `#[entity(logical_name = \"...\")]` to the struct",
        )
    })
}

fn members(input: &DeriveInput) -> Result<Vec<Member<'_>>> {
    let Data::Struct(data) = &input.data else {
        return Err(syn::Error::new(
            input.ident.span(),
            "only a struct can be the record of a table",
        ));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(syn::Error::new(
            input.ident.span(),
            "the fields need names, because they are the columns",
        ));
    };
    let members: Vec<_> = fields.named.iter().map(member).collect::<Result<_>>()?;
    for (index, member) in members.iter().enumerate() {
        if members[..index]
            .iter()
            .any(|before| before.column.value() == member.column.value())
        {
            return Err(syn::Error::new(
                member.column.span(),
                format!("the column `{}` has a field already", member.column.value()),
            ));
        }
    }
    Ok(members)
}

fn member(field: &Field) -> Result<Member<'_>> {
    let Some(name) = &field.ident else {
        return Err(syn::Error::new(field.span(), "the field needs a name"));
    };
    let mut column = None;
    let mut role = None;
    each_setting(&field.attrs, |meta| {
        if meta.path.is_ident("column") {
            set_once(&mut column, text(&meta)?, &meta)
        } else if meta.path.is_ident("primary_id") {
            set_once(&mut role, Role::PrimaryId, &meta)
        } else if meta.path.is_ident("row_version") {
            set_once(&mut role, Role::RowVersion, &meta)
        } else if meta.path.is_ident("lookup") {
            set_once(&mut role, Role::Lookup(text(&meta)?), &meta)
        } else {
            Err(meta.error(
                "unknown setting, expected `column`, `primary_id`, `lookup` or `row_version`",
            ))
        }
    })?;
    Ok(Member {
        name,
        kind: &field.ty,
        column: column.unwrap_or_else(|| LitStr::new(&name.unraw().to_string(), name.span())),
        role: role.unwrap_or(Role::Plain),
    })
}

fn each_setting(
    attributes: &[Attribute],
    mut read: impl FnMut(ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("entity"))
        .try_for_each(|attribute| attribute.parse_nested_meta(&mut read))
}

fn text(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    let text: LitStr = meta.value()?.parse()?;
    if text.value().is_empty() {
        return Err(syn::Error::new(
            text.span(),
            "a logical name cannot be empty",
        ));
    }
    Ok(text)
}

fn set_once<T>(place: &mut Option<T>, value: T, meta: &ParseNestedMeta<'_>) -> Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(meta.error("this contradicts an earlier setting")),
    }
}

fn only_one(members: &[Member<'_>], setting: &str, is: impl Fn(&Role) -> bool) -> Result<()> {
    match members.iter().filter(|member| is(&member.role)).nth(1) {
        None => Ok(()),
        Some(second) => Err(syn::Error::new(
            second.name.span(),
            format!("only one field can be `{setting}`"),
        )),
    }
}
