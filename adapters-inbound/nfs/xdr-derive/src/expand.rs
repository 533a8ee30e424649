use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Data, DataEnum, DeriveInput, Error, Fields, Generics, Result, WherePredicate, parse_quote};

use crate::attributes::{Case, case_of, max_of};

pub(crate) fn decode(input: &DeriveInput) -> Result<TokenStream> {
    let body = match &input.data {
        Data::Struct(data) => {
            let value = decode_fields(&quote!(Self), &data.fields)?;
            quote!(::core::result::Result::Ok(#value))
        }
        Data::Enum(data) => decode_union(data)?,
        Data::Union(_) => return Err(Error::new_spanned(input, "an XDR union is a Rust enum")),
    };
    let name = &input.ident;
    let generics = bounded(input, Bound::Decode)?;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::dittofs_xdr::Decode for #name #type_generics #where_clause {
            #[inline]
            fn decode(
                decoder: &mut ::dittofs_xdr::Decoder,
            ) -> ::core::result::Result<Self, ::dittofs_xdr::XdrError> {
                #body
            }
        }
    })
}

pub(crate) fn encode(input: &DeriveInput) -> Result<TokenStream> {
    let body = match &input.data {
        Data::Struct(data) => {
            let names = names_of(&data.fields);
            let pattern = pattern_of(&quote!(Self), &data.fields, &names);
            quote! {
                let #pattern = self;
                #(::dittofs_xdr::Encode::encode(#names, encoder);)*
            }
        }
        Data::Enum(data) => encode_union(data)?,
        Data::Union(_) => return Err(Error::new_spanned(input, "an XDR union is a Rust enum")),
    };
    let name = &input.ident;
    let generics = bounded(input, Bound::Encode)?;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::dittofs_xdr::Encode for #name #type_generics #where_clause {
            #[inline]
            fn encode(&self, encoder: &mut ::dittofs_xdr::Encoder) {
                #body
            }
        }
    })
}

fn decode_union(data: &DataEnum) -> Result<TokenStream> {
    let mut arms = Vec::new();
    let mut default = quote!(_ => ::core::result::Result::Err(::dittofs_xdr::XdrError::BadEnum));
    for variant in &data.variants {
        let name = &variant.ident;
        match case_of(variant)? {
            Case::Value(value) => {
                let fields = decode_fields(&quote!(Self::#name), &variant.fields)?;
                arms.push(
                    quote!(discriminant if discriminant == (#value) as u32 => ::core::result::Result::Ok(#fields)),
                );
            }
            Case::Default => default = quote!(discriminant => ::core::result::Result::Ok(Self::#name(discriminant))),
        }
    }
    Ok(quote! {
        match decoder.u32()? {
            #(#arms,)*
            #default,
        }
    })
}

fn encode_union(data: &DataEnum) -> Result<TokenStream> {
    let mut arms = Vec::new();
    for variant in &data.variants {
        let name = &variant.ident;
        let names = names_of(&variant.fields);
        let pattern = pattern_of(&quote!(Self::#name), &variant.fields, &names);
        // The default variant's only field is its discriminant.
        let discriminant = match case_of(variant)? {
            Case::Value(value) => quote!(encoder.put_u32((#value) as u32);),
            Case::Default => TokenStream::new(),
        };
        arms.push(quote! {
            #pattern => {
                #discriminant
                #(::dittofs_xdr::Encode::encode(#names, encoder);)*
            }
        });
    }
    Ok(quote!(match self { #(#arms)* }))
}

fn decode_fields(path: &TokenStream, fields: &Fields) -> Result<TokenStream> {
    let mut values = Vec::new();
    for field in fields {
        let ty = &field.ty;
        let value = match max_of(field)? {
            Some(max) => quote!(<#ty as ::dittofs_xdr::DecodeMax>::decode_max(decoder, (#max) as usize)?),
            None => quote!(<#ty as ::dittofs_xdr::Decode>::decode(decoder)?),
        };
        values.push(match &field.ident {
            Some(name) => quote!(#name: #value),
            None => value,
        });
    }
    Ok(match fields {
        Fields::Named(_) => quote!(#path { #(#values),* }),
        Fields::Unnamed(_) => quote!(#path(#(#values),*)),
        Fields::Unit => path.clone(),
    })
}

fn names_of(fields: &Fields) -> Vec<Ident> {
    fields
        .iter()
        .enumerate()
        .map(|(index, field)| field.ident.clone().unwrap_or_else(|| format_ident!("field_{index}")))
        .collect()
}

fn pattern_of(path: &TokenStream, fields: &Fields, names: &[Ident]) -> TokenStream {
    match fields {
        Fields::Named(_) => quote!(#path { #(#names),* }),
        Fields::Unnamed(_) => quote!(#path(#(#names),*)),
        Fields::Unit => path.clone(),
    }
}

#[derive(Clone, Copy)]
enum Bound {
    Decode,
    Encode,
}

/// The type's generics, with each field's type required to have the trait: bounds on parameters alone would be too weak for a
/// field such as `Option<T>` and too strong for `T::Item`.
fn bounded(input: &DeriveInput, bound: Bound) -> Result<Generics> {
    let mut generics = input.generics.clone();
    if input.generics.type_params().next().is_none() {
        return Ok(generics);
    }
    let fields: Vec<_> = match &input.data {
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Enum(data) => data.variants.iter().flat_map(|variant| &variant.fields).collect(),
        Data::Union(_) => Vec::new(),
    };
    for field in fields {
        let ty = &field.ty;
        let predicate: WherePredicate = match (bound, max_of(field)?) {
            (Bound::Encode, _) => parse_quote!(#ty: ::dittofs_xdr::Encode),
            (Bound::Decode, None) => parse_quote!(#ty: ::dittofs_xdr::Decode),
            (Bound::Decode, Some(_)) => parse_quote!(#ty: ::dittofs_xdr::DecodeMax),
        };
        generics.make_where_clause().predicates.push(predicate);
    }
    Ok(generics)
}
