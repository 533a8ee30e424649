//! Locks and atomics that are explored, under the names and with the methods of the usual ones.

pub(crate) mod std {
    pub(crate) use ::std::*;

    pub(crate) mod sync {
        pub(crate) use ::shuttle::sync::atomic;
        pub(crate) use ::std::sync::*;
    }
}

pub(crate) mod parking_lot {
    use ::shuttle::sync;

    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Mutex<T> {
            Mutex(sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> sync::MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct RwLock<T>(sync::RwLock<T>);

    impl<T> RwLock<T> {
        pub(crate) fn new(value: T) -> RwLock<T> {
            RwLock(sync::RwLock::new(value))
        }

        pub(crate) fn read(&self) -> sync::RwLockReadGuard<'_, T> {
            self.0.read().unwrap()
        }

        pub(crate) fn write(&self) -> sync::RwLockWriteGuard<'_, T> {
            self.0.write().unwrap()
        }

        pub(crate) fn try_write(&self) -> Option<sync::RwLockWriteGuard<'_, T>> {
            self.0.try_write().ok()
        }
    }
}
