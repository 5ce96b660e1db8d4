// The daemon's name for a program's text: FNV-1a with 64 bits over its UTF-8 bytes, 16 hex digits.
const BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

export function codeHash(code: string): string {
    let hash = BASIS;
    for (const byte of new TextEncoder().encode(code)) {
        hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
    }
    return hash.toString(16).padStart(16, '0');
}
