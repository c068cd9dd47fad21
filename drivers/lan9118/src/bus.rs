//! How registers are reached: the one place with unsafe code.

use core::ptr;

/// The bus that the chip hangs on. Registers are 32 bits wide, at offsets up to 0xFC that are multiples of
/// four. Reads have side effects: a FIFO's port gives another word each time.
///
/// [`Mmio`] is the usual one. Others are for buses that are not memory, and for tests.
pub trait Bus {
    /// Reads a register.
    fn read(&self, offset: usize) -> u32;

    /// Writes a register.
    fn write(&self, offset: usize, value: u32);

    /// Fills `words` from the port of a FIFO.
    #[inline]
    fn read_fifo(&self, offset: usize, words: &mut [u32]) {
        // Four at a time: the port answers as fast as it is asked, so the loop itself would cost most.
        let mut groups = words.chunks_exact_mut(4);
        for group in &mut groups {
            group[0] = self.read(offset);
            group[1] = self.read(offset);
            group[2] = self.read(offset);
            group[3] = self.read(offset);
        }
        for word in groups.into_remainder() {
            *word = self.read(offset);
        }
    }

    /// Writes all of `words` to the port of a FIFO.
    #[inline]
    fn write_fifo(&self, offset: usize, words: &[u32]) {
        let mut groups = words.chunks_exact(4);
        for group in &mut groups {
            self.write(offset, group[0]);
            self.write(offset, group[1]);
            self.write(offset, group[2]);
            self.write(offset, group[3]);
        }
        for &word in groups.remainder() {
            self.write(offset, word);
        }
    }
}

impl<B: Bus + ?Sized> Bus for &B {
    fn read(&self, offset: usize) -> u32 {
        B::read(self, offset)
    }

    fn write(&self, offset: usize, value: u32) {
        B::write(self, offset, value);
    }
}

/// Registers in memory, in the byte order of the processor, as the chip is usually wired.
#[derive(Debug)]
pub struct Mmio {
    base: usize,
}

impl Mmio {
    /// The chip at an address of memory.
    ///
    /// # Safety
    ///
    /// From `base`, which is a multiple of four, to `base + 0xFF` there must be the registers of a chip of
    /// this family for as long as the value exists, in memory that may be read and written a word at a time
    /// from wherever the value is used, and nothing else may use them: neither another `Mmio` nor Rust
    /// references.
    #[must_use]
    #[expect(unsafe_code, reason = "the caller promises what no type can")]
    pub const unsafe fn new(base: usize) -> Self {
        Self { base }
    }

    /// The address of a register; no offset leads out of the chip.
    fn register(&self, offset: usize) -> *mut u32 {
        ptr::with_exposed_provenance_mut(self.base.wrapping_add(offset & 0xFC))
    }
}

impl Bus for Mmio {
    #[inline]
    #[expect(unsafe_code, reason = "a register of the chip")]
    fn read(&self, offset: usize) -> u32 {
        // SAFETY: the address is that of a register of the chip and aligned, as `new` was promised, and the
        // mask keeps the offset inside. Registers are not memory that Rust manages, so a read races nothing.
        unsafe { self.register(offset).read_volatile() }
    }

    #[inline]
    #[expect(unsafe_code, reason = "a register of the chip")]
    fn write(&self, offset: usize, value: u32) {
        // SAFETY: as for `read`; what is written has effects inside the chip alone, which masters no bus.
        unsafe { self.register(offset).write_volatile(value) }
    }
}
