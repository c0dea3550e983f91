//! Reads `#[actor(..)]` and the `impl` block below it, and takes our helper attributes out of it.

use proc_macro2::TokenStream;
use syn::{Attribute, ImplItem, Item, ItemImpl, Signature, Visibility};

use super::mark::{Kind, Mark, is_rpc};
use crate::args::Arguments;
use crate::errors::Errors;
use crate::paths::Paths;

/// An `impl` block with `#[actor]` as the user wrote it.
pub(super) struct Parsed {
    pub(super) paths: Paths,
    /// The block without our helper attributes.
    pub(super) block: ItemImpl,
    /// Its functions, in order.
    pub(super) functions: Vec<Function>,
}

/// One function of the block, without its body.
pub(super) struct Function {
    /// Its place among the items of the block.
    pub(super) place: usize,
    pub(super) marks: Vec<Marked>,
    /// The attributes that are not ours.
    pub(super) attributes: Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) signature: Signature,
}

/// A helper attribute where it stood.
pub(super) struct Marked {
    pub(super) mark: Mark,
    /// The attribute itself, to point at.
    pub(super) at: Attribute,
    /// `#[context(drain)]`.
    pub(super) drain: bool,
}

impl Function {
    /// The attribute that says what the function is, if one does.
    pub(super) fn kind(&self) -> Option<(Kind, &Marked)> {
        self.marks.iter().find_map(|marked| match marked.mark {
            Mark::Is(kind) => Some((kind, marked)),
            Mark::Blocking | Mark::CancelSafe => None,
        })
    }

    /// The marked attribute of one sort.
    pub(super) fn marked(&self, mark: Mark) -> Option<&Marked> {
        self.marks.iter().find(|marked| marked.mark == mark)
    }
}

/// Reads both, or says why they cannot be read.
pub(super) fn parse(
    arguments: TokenStream,
    item: TokenStream,
    errors: &mut Errors,
) -> Option<Parsed> {
    let mut arguments = Arguments::parse(arguments, errors);
    let paths = Paths::from_arguments(&mut arguments, errors);
    arguments.finish("`#[actor]` takes `crate = path`", errors);
    let mut block = impl_block(item, errors)?;
    let mut functions = Vec::new();
    for (place, item) in block.items.iter_mut().enumerate() {
        if let ImplItem::Fn(function) = item {
            let marks = take_marks(&mut function.attrs, paths.root(), errors);
            functions.push(Function {
                place,
                marks,
                attributes: function.attrs.clone(),
                visibility: function.vis.clone(),
                signature: function.sig.clone(),
            });
        }
    }
    Some(Parsed {
        paths,
        block,
        functions,
    })
}

fn impl_block(item: TokenStream, errors: &mut Errors) -> Option<ItemImpl> {
    let message = "`#[actor]` goes on the `impl` block with the actor's methods: `#[actor] impl \
                   Counter { #[init] fn new() -> Self { .. } .. }`";
    match errors.absorb(syn::parse2::<Item>(item))? {
        Item::Impl(block) => Some(block),
        Item::Struct(item) => {
            errors.push(item.struct_token, message);
            None
        }
        Item::Enum(item) => {
            errors.push(item.enum_token, message);
            None
        }
        other => {
            errors.push(other, message);
            None
        }
    }
}

/// Moves our attributes out of `attributes`.
fn take_marks(
    attributes: &mut Vec<Attribute>,
    root: &TokenStream,
    errors: &mut Errors,
) -> Vec<Marked> {
    let mut marks = Vec::new();
    attributes.retain(|attribute| {
        if is_rpc(attribute, root) {
            errors.push(
                attribute,
                "a method of an actor is callable without `#[rpc]`: remove it",
            );
            return false;
        }
        let Some(mark) = Mark::of(attribute.path(), root) else {
            return true;
        };
        let mut arguments = Arguments::of_helper(attribute, errors);
        let drain = mark == Mark::Is(Kind::Context) && arguments.flag("drain", errors);
        arguments.finish(&known_arguments(mark), errors);
        marks.push(Marked {
            mark,
            at: attribute.clone(),
            drain,
        });
        false
    });
    marks
}

fn known_arguments(mark: Mark) -> String {
    if mark == Mark::Is(Kind::Context) {
        "`#[context]` in an actor takes `drain`".to_owned()
    } else {
        format!("`#[{}]` takes none", mark.name())
    }
}
