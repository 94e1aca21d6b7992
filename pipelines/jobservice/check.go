package jobservice

import "context"

// CheckService asks what listens at an address whether it is Beam's job service.
func CheckService(ctx context.Context, address string) error {
	s, err := dial(ctx, address)
	if err != nil {
		return err
	}
	return s.conn.Close()
}
