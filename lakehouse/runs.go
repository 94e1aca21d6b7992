package lakehouse

type runCache struct{}
