//! The actor's own side: method table, state, handlers, hooks and contexts.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;

use super::{Handler, Names, Wired, handler, letters};
use crate::actor::model::{
    Access, Actor, ContextState, Hook, Hooks, Init, Method, Role, Runs, Sharing,
};
use crate::checks::Checks;
use crate::tokens::{as_result, at, binders};
use crate::types::Output;

/// `impl Actor`.
pub(super) fn actor(
    actor: &Actor,
    names: &Names,
    methods: &[Wired<'_>],
    init: &TokenStream,
    shared_type: Option<&TokenStream>,
) -> TokenStream {
    let Names {
        private,
        portal_type,
        message_type,
        parameters,
        clause,
        ..
    } = names;
    let ty = &actor.ty;
    let table = methods.iter().map(|wired| table_line(wired, private));
    let decode = letters::decode(names, methods);
    let exclusive = handler_body(names, methods, Handler::Exclusive);
    let blocking = handle_blocking(names, methods);
    let contexts = open_context(methods, private);
    let hooks = hooks(&actor.hooks, private);
    let run = match actor.sharing {
        Sharing::Exclusive => quote!(run_exclusive),
        Sharing::Phased => quote!(run_phased::<#shared_type>),
        Sharing::Shared => quote!(run_shared::<#shared_type>),
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
            async fn handle_mut(&mut self, message: Self::Msg) -> #private::Flow {
                #exclusive
            }

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

/// `impl SharedActor`, for an actor with `&self` handlers or contexts. `checked` is its type, as checked.
pub(super) fn shared_actor(
    actor: &Actor,
    checked: &TokenStream,
    names: &Names,
    methods: &[Wired<'_>],
) -> TokenStream {
    let Names {
        private,
        parameters,
        clause,
        ..
    } = names;
    let ty = &actor.ty;
    let body = handler_body(names, methods, Handler::Shared);
    quote! {
        #[automatically_derived]
        impl #parameters #private::SharedActor for #ty #clause {
            async fn handle_ref(&self, message: Self::Msg) -> #private::Flow {
                // A state that is not `Sync` has been reported; this keeps the compiler from saying more about it.
                let _: ::core::marker::PhantomData<#checked>;
                #body
            }
        }
    }
}

/// One line of the method table.
fn table_line(wired: &Wired<'_>, private: &TokenStream) -> TokenStream {
    let name = wired.method.ident.unraw().to_string();
    let (cfgs, arguments, types) = (wired.cfgs(), &wired.arguments, &wired.types);
    let (make, kind) = match &wired.method.role {
        Role::Call { access, runs, .. } => (quote!(new), Some(kind(*access, *runs))),
        Role::Cast { access, runs, .. } => (quote!(cast), Some(kind(*access, *runs))),
        Role::Stream { access, .. } => (quote!(stream), Some(kind(*access, Runs::InPlace))),
        Role::Context { drain: false, .. } => (quote!(context), None),
        Role::Context { drain: true, .. } => (quote!(context_drained), None),
    };
    let kind = kind.map(|kind| quote!(, #private::MethodKind::#kind));
    quote!(#(#cfgs)* #private::Method::#make::<#arguments, #(#types),*>(#name #kind))
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
pub(super) fn init(actor: &Actor, names: &Names, checks: &mut Checks<'_>) -> TokenStream {
    let private = &names.private;
    let Some(Init {
        ident,
        is_async,
        arguments,
        output,
        ..
    }) = &actor.init
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
    let (args, binders) = (checks.tuple(arguments, &[]), binders(arguments));
    let error = match output {
        Output::Unit | Output::Plain(_) => quote!(#private::Never),
        Output::Result(result) => checks.error(result, &[]),
    };
    let call = quote_spanned!(at(ident.span())=> Self::#ident(#(#binders),*));
    let state = as_result(output, private, awaited(call, *is_async));
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

/// `fn handle_blocking`, for an actor with such methods.
fn handle_blocking(names: &Names, methods: &[Wired<'_>]) -> TokenStream {
    let private = &names.private;
    let ours = |wired: &Wired<'_>| handler(wired.method) == Some(Handler::Blocking);
    if !methods.iter().any(ours) {
        return TokenStream::new();
    }
    let body = handler_body(names, methods, Handler::Blocking);
    quote! {
        fn handle_blocking(&mut self, message: Self::Msg) -> #private::Flow {
            #body
        }
    }
}

/// Takes a message and runs its method, if it is one of the right kind.
fn handler_body(names: &Names, methods: &[Wired<'_>], which: Handler) -> TokenStream {
    let private = &names.private;
    let ours = methods
        .iter()
        .filter(|wired| handler(wired.method) == Some(which));
    let arms = ours.map(|wired| arm(wired, private));
    quote! {
        match message {
            #(#arms)*
            other => #private::misrouted(other),
        }
    }
}

/// Runs one method and answers with what it returned.
fn arm(wired: &Wired<'_>, private: &TokenStream) -> TokenStream {
    let Method {
        ident,
        arguments,
        role,
        ..
    } = wired.method;
    let (cfgs, variant, binders) = (wired.cfgs(), wired.variant(), binders(arguments));
    let types = &wired.types;
    let proceed = quote!(#private::Flow::Continue);
    let call = |runs: Runs| {
        let call = quote_spanned!(at(ident.span())=> Self::#ident(self, #(#binders),*));
        match runs {
            // What is wrong with a handler's future is reported at the method's name.
            Runs::Async | Runs::CancelSafe => {
                quote_spanned!(at(ident.span())=> #private::handlers_must_be_send(#call).await)
            }
            Runs::InPlace | Runs::Blocking => call,
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
                    let reply: #private::Reply<#(#types),*> = reply;
                    #answer;
                    #proceed
                }
            }
        }
        Role::Cast { runs, output, .. } => {
            let name = ident.unraw().to_string();
            let ended = cast_end(&name, call(*runs), (output, &wired.error), private);
            quote!(#(#cfgs)* __Message::#variant((#(#binders,)*)) => { #ended })
        }
        Role::Stream { .. } => {
            let stream = call(Runs::InPlace);
            quote! {
                #(#cfgs)*
                __Message::#variant((#(#binders,)*), reply) => {
                    let reply: #private::StreamReply<#(#types),*> = reply;
                    reply.stream(#stream);
                    #proceed
                }
            }
        }
        Role::Context { .. } => TokenStream::new(),
    }
}

/// What follows from a one-way message.
fn cast_end(
    name: &str,
    value: TokenStream,
    (output, error): (&Output, &TokenStream),
    private: &TokenStream,
) -> TokenStream {
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
                        let error: #error = error;
                        let error = #private::CastError::new(#name, &error);
                        #private::Actor::cast_failed(&*self, error)
                    }
                }
            }
        }
    }
}

/// `fn open_context`, for an actor with contexts.
fn open_context(methods: &[Wired<'_>], private: &TokenStream) -> TokenStream {
    let arms: Vec<_> = methods
        .iter()
        .filter_map(|wired| context_arm(wired, private))
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

fn context_arm(wired: &Wired<'_>, private: &TokenStream) -> Option<TokenStream> {
    let Method {
        ident,
        arguments,
        role,
        ..
    } = wired.method;
    let (Role::Context { state, output, .. }, [started, incoming, outgoing, ..]) =
        (role, &wired.types[..])
    else {
        return None;
    };
    let (cfgs, index, args) = (wired.cfgs(), wired.index(), &wired.arguments);
    let binders = binders(arguments);
    let (prepare, held) = match state {
        ContextState::Me => (TokenStream::new(), quote!(me)),
        ContextState::Shared => (quote!(let state = me.shared();), quote!(&state)),
    };
    let call = quote_spanned! {at(ident.span())=>
        #private::handlers_must_be_send(Self::#ident(#held, ctx, #(#binders),*)).await
    };
    let result = as_result(output, private, call);
    Some(quote! {
        #(#cfgs)*
        #index => {
            #prepare
            ::core::option::Option::Some(#private::serve_context(
                opening,
                move |
                    ctx: #private::Context<#started, #incoming, #outgoing>,
                    (#(#binders,)*): #args,
                | async move { #result },
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
        let call = awaited(
            quote_spanned!(at(ident.span())=> Self::#ident(self)),
            *is_async,
        );
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
        let call = quote_spanned!(at(ident.span())=> Self::#ident(self, error));
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
