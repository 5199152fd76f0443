# Computes the values that tests/it/vectors.rs and src/base62.rs pin, by another implementation: python3 tests/vectors.py
import hmac, hashlib, zlib, struct
A="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
def b62(n,w):
    s=""
    for _ in range(w): n,r=divmod(n,62); s=A[r]+s
    return s
def key(prefix,bits,secret):
    front=prefix+b62(bits,8)+"_"+b62(int.from_bytes(secret,"big"),43)
    return front+"_"+b62(zlib.crc32(front.encode()),6)
def hkdf(material,label,id):
    prk=hmac.new(b"keyward.access.v1",material,hashlib.sha256).digest()
    return hmac.new(prk,label+b"\0"+id+b"\x01",hashlib.sha256).digest()
lp=lambda b: struct.pack(">I",len(b))+b
opt=lambda b: lp(b"\0") if b is None else lp(b"\1"+b)
i=lambda n: struct.pack(">q",n)
secret=bytes(range(32)); material=bytes(range(32,64))
c=key("kw_",0x0123456789abcdef,secret); a=key("kwa_",0x0123456789abcdef,secret)
print(c,len(c)); print(a,len(a))
print("plain pepper",hmac.new(material,c.encode(),hashlib.sha256).hexdigest())
print("client",hmac.new(hkdf(material,b"pepper of client keys",struct.pack(">I",7)),c.encode(),hashlib.sha256).hexdigest())
print("admin",hmac.new(hkdf(material,b"pepper of admin tokens",struct.pack(">I",7)),a.encode(),hashlib.sha256).hexdigest())
k=hkdf(material,b"chain of the audit log",b"default")
def row(seq,actor,version,source):
    return b"".join([lp(b"keyward.audit.v1"),lp(b"default"),lp(i(seq)),lp(i(1700000000000)),opt(actor),lp(b"admin"),lp(b"secret.create"),lp(b"s-1"),
      opt(None if version is None else i(version)),lp(b"ok"),lp(b"r-1"),lp(i(9)),opt(source),lp(b"{}")])
prev=bytes(32)
for r in (row(1,b"anna",1,b"192.0.2.1"),row(2,None,None,None)):
    prev=hmac.new(k,lp(prev)+lp(r),hashlib.sha256).digest(); print("audit",prev.hex())
print(b62(2**256-1,43),b62(2**32-1,6))
