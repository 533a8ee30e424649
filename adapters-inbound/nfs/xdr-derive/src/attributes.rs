use syn::{Attribute, Error, Expr, Field, Fields, Result, Variant};

/// The discriminant of a variant on the wire.
pub(crate) enum Case {
    /// This discriminant.
    Value(Expr),
    /// Any discriminant that no other variant has.
    Default,
}

/// The `max` of a field, if it has one.
pub(crate) fn max_of(field: &Field) -> Result<Option<Expr>> {
    let mut max = None;
    visit(&field.attrs, |meta| {
        if meta.path.is_ident("max") {
            max = Some(meta.value()?.parse()?);
            return Ok(());
        }
        Err(meta.error("a field may say `max = N`"))
    })?;
    Ok(max)
}

/// The discriminant of a variant: its `case`, its `default`, or its explicit value.
pub(crate) fn case_of(variant: &Variant) -> Result<Case> {
    let mut case = variant.discriminant.as_ref().map(|(_, value)| Case::Value(value.clone()));
    visit(&variant.attrs, |meta| {
        if meta.path.is_ident("case") {
            case = Some(Case::Value(meta.value()?.parse()?));
            return Ok(());
        }
        if meta.path.is_ident("default") {
            case = Some(Case::Default);
            return Ok(());
        }
        Err(meta.error("a variant may say `case = N` or `default`"))
    })?;
    let case =
        case.ok_or_else(|| Error::new_spanned(variant, "needs a value, `#[xdr(case = N)]` or `#[xdr(default)]`"))?;
    let holds_one = matches!(&variant.fields, Fields::Unnamed(fields) if fields.unnamed.len() == 1);
    if matches!(case, Case::Default) && !holds_one {
        return Err(Error::new_spanned(variant, "a default variant holds the discriminant: one `u32`"));
    }
    Ok(case)
}

fn visit(attributes: &[Attribute], mut each: impl FnMut(syn::meta::ParseNestedMeta<'_>) -> Result<()>) -> Result<()> {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("xdr")) {
        attribute.parse_nested_meta(&mut each)?;
    }
    Ok(())
}
