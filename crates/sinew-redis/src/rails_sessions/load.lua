local kind, text, life = look()
return { kind, text, life }
