//! Changes of a registry that nothing speaks against.

use jiff::civil::DateTime;

use crate::world::{Customer, Holder, Net, Registry, UnknownHandle};

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    /// Registers a net; its holder is this customer, if there is one, who is registered before.
    Register {
        net: Box<Net>,
        customer: Option<Box<Customer>>,
    },
    RegisterCustomer(Box<Customer>),
    /// Puts this net in place of the one with its handle.
    ReplaceNet {
        net: Box<Net>,
        customer: Option<Box<Customer>>,
    },
    /// Puts this customer in place of the one with its handle.
    ReplaceCustomer(Box<Customer>),
    /// Removes a net and those below it.
    RemoveNet {
        handle: String,
        below: Vec<String>,
    },
    RemoveCustomer(String),
}

/// What was registered or changed as it is now, or what was removed as it was.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Done {
    Net(Box<Net>),
    Customer(Box<Customer>),
}

impl Change {
    /// Returns whether it is so large that it is done in the background.
    pub(super) fn is_job(&self) -> bool {
        matches!(self, Self::RemoveNet { below, .. } if !below.is_empty())
    }

    /// Does it at this moment.
    pub(super) fn carry_out(self, registry: &mut Registry, at: DateTime) -> Result<Done, UnknownHandle> {
        Ok(match self {
            Self::Register { mut net, customer } => {
                if let Some(customer) = customer {
                    net.holder = Holder::Customer(registry.register_customer(*customer, at).handle);
                }
                Done::Net(Box::new(registry.register_net(*net, at)))
            }
            Self::RegisterCustomer(customer) => Done::Customer(Box::new(registry.register_customer(*customer, at))),
            Self::ReplaceNet { net, customer } => {
                if let Some(customer) = customer {
                    registry.customers.insert(customer.handle.clone(), *customer);
                }
                let net = Net { updated: Some(at), ..*net };
                registry.nets.insert(net.handle.clone(), net.clone());
                registry.pass(at);
                Done::Net(Box::new(net))
            }
            Self::ReplaceCustomer(customer) => {
                registry.customers.insert(customer.handle.clone(), (*customer).clone());
                Done::Customer(customer)
            }
            Self::RemoveNet { handle, below } => {
                for below in below {
                    registry.remove_net(&below)?;
                }
                Done::Net(Box::new(registry.remove_net(&handle)?))
            }
            Self::RemoveCustomer(handle) => Done::Customer(Box::new(registry.remove_customer(&handle)?)),
        })
    }
}
