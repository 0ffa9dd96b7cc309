# Random checkpoints, and whether tern lists them as torch does. Usage: random_checkpoints.py FIRST_SEED LAST_SEED TERN [FOLDER]
# Random nesting, dtypes, views, shared storages, zip and legacy, pickle protocols 2 to 5, optimizers, whole modules, NumPy; one file a seed.
# Files that differ stay in FOLDER.
import collections, json, os, random, subprocess, sys, warnings
import numpy as np
import torch
import torch.utils.serialization
from torch import nn
from listing import NAMES, listing

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
F8 = [torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz, torch.float8_e8m0fnu]
ALL = [getattr(torch, n) for n in NAMES] + [torch.bool, torch.complex64, torch.complex128, torch.complex32] + F8


class G:
    def __init__(s,seed):
        s.r=random.Random(seed); torch.manual_seed(seed); s.g=np.random.RandomState(seed); s.pool=[]
    def base(s):
        dt=s.r.choice(ALL if s.r.random()<.5 else [torch.float32]*3+[torch.int64,torch.float16,torch.bfloat16])
        nd=s.r.choice([0,1,1,2,2,2,3,4,5]); sh=[s.r.choice([0,1,2,3,4,5,7]) if s.r.random()<.97 else s.r.choice([0,1,33]) for _ in range(nd)]
        n=int(np.prod(sh)) if sh else 1
        if dt==torch.bool: t=torch.from_numpy(s.g.rand(n)<.5)
        elif dt.is_complex:
            t=torch.complex(torch.from_numpy(s.g.randn(n)),torch.from_numpy(s.g.randn(n))).to(dt)
        elif dt in F8: t=torch.from_numpy(s.g.randint(0,255,n).astype(np.uint8)).view(dt)
        elif dt.is_floating_point: t=torch.from_numpy(s.g.randn(n)).to(dt)
        elif dt in (torch.uint16,torch.uint32,torch.uint64): t=torch.from_numpy(s.g.randint(0,200,n)).to(dt)
        else: t=torch.from_numpy(s.g.randint(-100,100,n)).to(dt)
        return t.reshape(sh)
    def view(s,t):
        for _ in range(s.r.choice([0,1,1,2,3])):
            k=s.r.choice(["t","slice","expand","permute","select","narrow","step","diag","as_strided","unfold","squeeze","conj","neg"])
            try:
                if k=="t" and t.dim()>=2: t=t.transpose(0,1)
                elif k=="slice" and t.dim(): t=t[1:]
                elif k=="step" and t.dim(): t=t[...,::2]
                elif k=="expand": t=t.unsqueeze(0).expand(s.r.choice([1,3]),*t.shape)
                elif k=="permute": p=list(range(t.dim())); s.r.shuffle(p); t=t.permute(p)
                elif k=="select" and t.dim(): t=t.select(s.r.randrange(t.dim()),0)
                elif k=="narrow" and t.dim(): t=t.narrow(-1,t.shape[-1]//2,t.shape[-1]-t.shape[-1]//2)
                elif k=="diag" and t.dim()>=2: t=t.diagonal()
                elif k=="as_strided" and t.numel()>=4: t=t.as_strided((2,2),(1,2),1)
                elif k=="unfold" and t.dim() and t.shape[-1]>=3: t=t.unfold(-1,3,1)
                elif k=="squeeze": t=t.squeeze()
                elif k=="conj" and t.is_complex(): t=t.conj()
                elif k=="neg" and t.is_complex() and s.r.random()<.5 and t.dtype!=torch.complex32: t=t.conj().imag
            except Exception: pass
        return t
    def tensor(s):
        if s.pool and s.r.random()<.3: t=s.r.choice(s.pool)
        else:
            t=s.base(); s.pool.append(t)
        try:
            v=s.view(t)
        except Exception: v=t
        if v.is_floating_point() and v.dtype not in F8 and s.r.random()<.2 and not v.is_neg(): v=nn.Parameter(v, requires_grad=s.r.random()<.5)
        elif s.r.random()<.05: v=nn.Buffer(v)
        return v
    def junk(s):
        return s.r.choice([lambda:1,lambda:"text é",lambda:None,lambda:1.5,lambda:True,lambda:1<<70,lambda:-5,lambda:b"by\xfftes",lambda:{1,2},lambda:torch.float32,lambda:torch.device("cpu"),
          lambda:torch.Size([1,2]),lambda:np.float64(1.5),lambda:np.arange(3),lambda:np.arange(4.).reshape(2,2).T,lambda:slice(1,2),lambda:1j,lambda:[],lambda:(),lambda:{},lambda:range(3),lambda:bytearray(b"ab"),lambda:frozenset([1]),
          lambda:torch.strided, lambda:np.array(["a","bc"]),lambda:np.int64(5),lambda:collections.Counter("abca")])()
    def key(s,i):
        return s.r.choice([f"layer{i}.weight",f"k{i}","weight%d"%i,f"ü{i}",i,f"a.b.c{i}", f"x y{i}"])
    def value(s,d):
        x=s.r.random()
        if x<.5: return s.tensor()
        if x<.65: return s.junk()
        if d>=4: return s.tensor()
        n=s.r.choice([0,1,2,3,5])
        if x<.85:
            m=s.r.choice([dict,collections.OrderedDict])
            return m((s.key(i),s.value(d+1)) for i in range(n))
        if x<.9: return [s.value(d+1) for _ in range(n)]
        if x<.95: return tuple(s.value(d+1) for _ in range(n))
        if x<.97:
            dd=collections.defaultdict(list); 
            for i in range(n): dd[f"d{i}"]=s.value(d+1)
            return dd
        return s.model()
    def model(s):
        c=s.r.choice(range(8))
        if c==0: m=nn.Sequential(nn.Linear(3,4),nn.BatchNorm1d(4),nn.ReLU(),nn.Dropout(.1),nn.Linear(4,2,bias=False))
        elif c==1: m=nn.LSTM(3,4,num_layers=2,bidirectional=True)
        elif c==2: m=nn.MultiheadAttention(4,2)
        elif c==3: m=nn.Sequential(collections.OrderedDict(c=nn.Conv2d(1,2,3),n=nn.GroupNorm(1,2),p=nn.PReLU()))
        elif c==4: m=nn.TransformerEncoderLayer(4,2,8)
        elif c==5: m=nn.ModuleDict(dict(a=nn.Embedding(3,4),b=nn.ModuleList([nn.LayerNorm(4),nn.InstanceNorm1d(3,affine=True,track_running_stats=True)])))
        elif c==6: m=nn.DataParallel(nn.Linear(2,2)) if s.r.random()<.5 else nn.ParameterList([nn.Parameter(torch.ones(2)),nn.Parameter(torch.zeros(1,2))])
        else:
            m=nn.Sequential(nn.Linear(3,3),nn.Linear(3,3)); m[1].weight=m[0].weight
        if s.r.random()<.3: m.register_buffer("tmp", torch.ones(2), persistent=False)
        return m
    def checkpoint(s):
        m=s.model(); kind=s.r.choice(range(8))
        if kind==0: return m.state_dict()
        if kind==1: return m
        if kind in(2,3):
            p=list(m.parameters()); opt=s.r.choice([torch.optim.Adam,lambda q,**k:torch.optim.SGD(q,momentum=.9,**k)])(p,lr=1e-3)
            for q in p: q.grad=torch.randn_like(q)
            opt.step()
            return {"epoch":3,s.r.choice(["model","state_dict","model_state_dict","net"]):m.state_dict(),"optimizer":opt.state_dict(),"best":np.float64(.5),"args":{"lr":1e-3},"junk":s.junk()}
        return s.value(0) if kind<5 else collections.OrderedDict((s.key(i),s.value(1)) for i in range(s.r.choice([1,3,10])))
    def save(s,path):
        obj=s.checkpoint(); z=s.r.random()<.6; proto=s.r.choice([2,2,3,4,5])
        torch.utils.serialization.config.save.compute_crc32=s.r.random()<.7
        torch.utils.serialization.config.save.storage_alignment=s.r.choice([64,64,4096,16])
        torch.save(obj,path,_use_new_zipfile_serialization=z,pickle_protocol=proto)
        return z,proto


if __name__ == "__main__":
    first, last, tern = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    folder = sys.argv[4] if len(sys.argv) > 4 else "."
    different = skipped = tensors = 0
    for seed in range(first, last):
        path = os.path.join(folder, f"{seed}.pt")
        try:
            how = G(seed).save(path)
            want = listing(torch.load(path, weights_only=False))
        except Exception as e:  # some dtypes torch itself cannot bring back from the legacy form
            skipped += 1
            continue
        run = subprocess.run([tern, "inspect", path, "--json", "--checksum"], capture_output=True)
        got = json.loads(run.stdout)["tensors"] if run.returncode == 0 else run.stderr
        tensors += len(want)
        if got == want:
            os.remove(path)
            continue
        different += 1
        print(path, how, next((pair for pair in zip(got, want) if pair[0] != pair[1]), (len(got), len(want))) if run.returncode == 0 else got)
    print(f"{last - first - skipped} files, {tensors} tensors, {different} files differ, {skipped} skipped (torch cannot load them)")
