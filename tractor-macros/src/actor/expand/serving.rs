//! The actor's own side: method table, state, handlers, hooks and contexts.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;

use super::{Handler, Names, handler, index, is_shared, letters, variant};
use crate::actor::model::{
    Access, Actor, ContextState, Hook, Hooks, Init, Method, Role, Runs, Sharing,
};
use crate::tokens::{as_result, binders, outcome, tuple_type};
use crate::types::Output;

/// `impl Actor`.
pub(super) fn actor(actor: &Actor, names: &Names) -> TokenStream {
    let Names {
        private,
        portal_type,
        message_type,
        parameters,
        clause,
        ..
    } = names;
    let ty = &actor.ty;
    let table = actor
        .methods
        .iter()
        .map(|method| table_line(method, private));
    let init = init(actor.init.as_ref(), private);
    let decode = letters::decode(actor, names);
    let exclusive = handler_fn(actor, names, Handler::Exclusive);
    let blocking = handler_fn(actor, names, Handler::Blocking);
    let contexts = open_context(actor, private);
    let hooks = hooks(&actor.hooks, private);
    let run = match actor.sharing {
        Sharing::Exclusive => quote!(run_exclusive),
        Sharing::Phased => quote!(run_phased),
        Sharing::Shared => quote!(run_shared),
    };
    quote! {
        #[automatically_derived]
        impl #parameters #private::Actor for #ty #clause {
            type Msg = #message_type;
            type Portal = #portal_type;
            #init

            fn methods() -> &'static [#private::Method] {
                const { &[#(#table),*] }
            }

            #decode
            #exclusive
            #blocking
            #contexts
            #hooks

            fn run(
                self,
                turns: #private::Turns<Self>,
            ) -> impl ::core::future::Future<Output = #private::LoopEnd> + ::core::marker::Send {
                #private::#run(self, turns)
            }
        }
    }
}

/// `impl SharedActor`, for an actor with `&self` handlers or contexts.
pub(super) fn shared_actor(actor: &Actor, names: &Names) -> TokenStream {
    if !is_shared(actor) {
        return TokenStream::new();
    }
    let Names {
        private,
        parameters,
        clause,
        ..
    } = names;
    let ty = &actor.ty;
    let handlers = handler_fn(actor, names, Handler::Shared);
    quote! {
        #[automatically_derived]
        impl #parameters #private::SharedActor for #ty #clause {
            #handlers
        }
    }
}

/// One line of the method table.
fn table_line(method: &Method, private: &TokenStream) -> TokenStream {
    let name = method.ident.unraw().to_string();
    let (cfgs, args) = (&method.carried.cfgs, tuple_type(&method.arguments));
    let line = match &method.role {
        Role::Call {
            access,
            runs,
            output,
        } => {
            let (ok, err) = outcome(output, private);
            let kind = kind(*access, *runs);
            quote!(new::<#args, #ok, #err>(#name, #private::MethodKind::#kind))
        }
        Role::Cast { access, runs, .. } => {
            let kind = kind(*access, *runs);
            quote!(cast::<#args>(#name, #private::MethodKind::#kind))
        }
        Role::Stream { access, item } => {
            let kind = kind(*access, Runs::InPlace);
            quote!(stream::<#args, #item>(#name, #private::MethodKind::#kind))
        }
        Role::Context {
            ctx, output, drain, ..
        } => {
            let (ok, err) = outcome(output, private);
            let (started, incoming, outgoing) = (&ctx.started, &ctx.incoming, &ctx.outgoing);
            let make = if *drain {
                quote!(context_drained)
            } else {
                quote!(context)
            };
            quote!(#make::<#args, #started, #incoming, #outgoing, #ok, #err>(#name))
        }
    };
    quote!(#(#cfgs)* #private::Method::#line)
}

fn kind(access: Access, runs: Runs) -> TokenStream {
    match (access, runs) {
        (_, Runs::Blocking) => quote!(Blocking),
        (_, Runs::CancelSafe) => quote!(CancelSafe),
        (Access::Exclusive, Runs::Async | Runs::InPlace) => quote!(Exclusive),
        (Access::Shared, Runs::Async | Runs::InPlace) => quote!(Shared),
    }
}

/// `type Init`, `type InitError` and `fn init`.
fn init(init: Option<&Init>, private: &TokenStream) -> TokenStream {
    let Some(Init {
        ident,
        is_async,
        arguments,
        output,
        ..
    }) = init
    else {
        // The missing `#[init]` has been reported.
        return quote! {
            type Init = ();
            type InitError = #private::Never;

            async fn init((): ()) -> ::core::result::Result<Self, Self::InitError> {
                ::core::unreachable!()
            }
        };
    };
    let (args, binders) = (tuple_type(arguments), binders(arguments));
    let (_, error) = outcome(output, private);
    let call = awaited(quote!(Self::#ident(#(#binders),*)), *is_async);
    let call = quote_spanned!(ident.span()=> #call);
    let state = as_result(output, private, call);
    quote! {
        type Init = #args;
        type InitError = #error;

        async fn init(
            (#(#binders,)*): Self::Init,
        ) -> ::core::result::Result<Self, Self::InitError> {
            #state
        }
    }
}

/// One of the three functions that take a message and run a method by it.
fn handler_fn(actor: &Actor, names: &Names, which: Handler) -> TokenStream {
    let private = &names.private;
    let arms: Vec<_> = actor
        .methods
        .iter()
        .enumerate()
        .filter(|(_, method)| handler(method) == Some(which))
        .map(|(place, method)| arm(method, place, private))
        .collect();
    let body = quote! {
        match message {
            #(#arms)*
            other => #private::misrouted(other),
        }
    };
    match which {
        Handler::Exclusive => quote! {
            async fn handle_mut(&mut self, message: Self::Msg) -> #private::Flow {
                #body
            }
        },
        Handler::Shared => quote! {
            async fn handle_ref(&self, message: Self::Msg) -> #private::Flow {
                #body
            }
        },
        Handler::Blocking if arms.is_empty() => TokenStream::new(),
        Handler::Blocking => quote! {
            fn handle_blocking(&mut self, message: Self::Msg) -> #private::Flow {
                #body
            }
        },
    }
}

/// Runs one method and answers with what it returned.
fn arm(method: &Method, place: usize, private: &TokenStream) -> TokenStream {
    let Method {
        ident,
        carried,
        arguments,
        role,
        ..
    } = method;
    let (cfgs, variant, binders) = (&carried.cfgs, variant(place), binders(arguments));
    let proceed = quote!(#private::Flow::Continue);
    let call = |runs: Runs| {
        // What is wrong with a handler's future is reported at the method's name.
        let call = quote_spanned!(ident.span()=> Self::#ident(self, #(#binders),*));
        match runs {
            Runs::Async | Runs::CancelSafe => awaited(call, true),
            Runs::InPlace | Runs::Blocking => awaited(call, false),
        }
    };
    match role {
        Role::Call { runs, output, .. } => {
            let value = call(*runs);
            let answer = match output {
                Output::Unit | Output::Plain(_) => quote!(reply.send_value(#value)),
                Output::Result(_) => {
                    let result = as_result(output, private, value);
                    quote!(reply.send(#result))
                }
            };
            quote! {
                #(#cfgs)*
                __Message::#variant((#(#binders,)*), reply) => {
                    #answer;
                    #proceed
                }
            }
        }
        Role::Cast { runs, output, .. } => {
            let ended = cast_end(
                &method.ident.unraw().to_string(),
                call(*runs),
                output,
                private,
            );
            quote!(#(#cfgs)* __Message::#variant((#(#binders,)*)) => { #ended })
        }
        Role::Stream { .. } => {
            let stream = call(Runs::InPlace);
            quote! {
                #(#cfgs)*
                __Message::#variant((#(#binders,)*), reply) => {
                    reply.stream(#stream);
                    #proceed
                }
            }
        }
        Role::Context { .. } => TokenStream::new(),
    }
}

/// What follows from a one-way message.
fn cast_end(name: &str, value: TokenStream, output: &Output, private: &TokenStream) -> TokenStream {
    match output {
        Output::Unit | Output::Plain(_) => quote! {
            #value;
            #private::Flow::Continue
        },
        Output::Result(_) => {
            let result = as_result(output, private, value);
            quote! {
                match #result {
                    ::core::result::Result::Ok(()) => #private::Flow::Continue,
                    ::core::result::Result::Err(error) => {
                        let error = #private::CastError::new(#name, &error);
                        #private::Actor::cast_failed(&*self, error)
                    }
                }
            }
        }
    }
}

/// `fn open_context`, for an actor with contexts.
fn open_context(actor: &Actor, private: &TokenStream) -> TokenStream {
    let arms: Vec<_> = actor
        .methods
        .iter()
        .enumerate()
        .filter_map(|(place, method)| context_arm(method, place, private))
        .collect();
    if arms.is_empty() {
        return TokenStream::new();
    }
    quote! {
        fn open_context(
            index: u16,
            me: #private::Me<Self>,
            opening: #private::Opening,
        ) -> ::core::option::Option<#private::ServedTask> {
            match index {
                #(#arms)*
                _ => ::core::option::Option::None,
            }
        }
    }
}

fn context_arm(method: &Method, place: usize, private: &TokenStream) -> Option<TokenStream> {
    let Role::Context {
        state, ctx, output, ..
    } = &method.role
    else {
        return None;
    };
    let (ident, cfgs, index) = (&method.ident, &method.carried.cfgs, index(place));
    let (args, binders) = (tuple_type(&method.arguments), binders(&method.arguments));
    let (started, incoming, outgoing) = (&ctx.started, &ctx.incoming, &ctx.outgoing);
    let (prepare, held) = match state {
        ContextState::Me => (TokenStream::new(), quote!(me)),
        ContextState::Shared => (quote!(let state = me.shared();), quote!(&state)),
    };
    let call = quote_spanned!(ident.span()=> Self::#ident(#held, ctx, #(#binders),*).await);
    let result = as_result(output, private, call);
    let task = quote_spanned!(ident.span()=> async move { #result });
    Some(quote! {
        #(#cfgs)*
        #index => {
            #prepare
            ::core::option::Option::Some(#private::serve_context(
                opening,
                move |
                    ctx: #private::Context<#started, #incoming, #outgoing>,
                    (#(#binders,)*): #args,
                | #task,
            ))
        }
    })
}

/// The hooks the user wrote; the trait has the others.
fn hooks(hooks: &Hooks, private: &TokenStream) -> TokenStream {
    let awaiting = |hook: &Hook, name: TokenStream| {
        let Hook {
            ident,
            is_async,
            cfgs,
        } = hook;
        let call = awaited(quote_spanned!(ident.span()=> Self::#ident(self)), *is_async);
        quote!(#(#cfgs)* async fn #name(&mut self) { #call })
    };
    let start = hooks
        .on_start
        .as_ref()
        .map(|hook| awaiting(hook, quote!(on_start)));
    let stop = hooks
        .on_stop
        .as_ref()
        .map(|hook| awaiting(hook, quote!(on_stop)));
    let error = hooks.on_error.as_ref().map(|Hook { ident, cfgs, .. }| {
        let call = quote_spanned!(ident.span()=> Self::#ident(self, error));
        quote! {
            #(#cfgs)*
            fn on_error(&self, error: #private::CastError) -> #private::OnError {
                #call
            }
        }
    });
    quote!(#start #stop #error)
}

fn awaited(call: TokenStream, is_async: bool) -> TokenStream {
    if is_async { quote!(#call.await) } else { call }
}
