package signaling

import (
	"context"
	"net/http"

	"github.com/parleyrtc/parley/signaling/wire"
)

// pageQuery chooses one page of a list.
type pageQuery struct {
	After string `query:"after" maxLength:"128" doc:"The id after which the page begins; next of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

// UIDPath names a user.
type UIDPath struct {
	UID string `path:"uid" minLength:"1" maxLength:"128" pattern:"^[A-Za-z0-9._@:+-]+$"`
}

// GUIDPath names a group.
type GUIDPath struct {
	GUID string `path:"guid" minLength:"1" maxLength:"128" pattern:"^[A-Za-z0-9._@:+-]+$"`
}

// UserFields is what can be said about a user.
type UserFields struct {
	Name   string `json:"name,omitempty" maxLength:"128" doc:"What others see; the uid when it is empty."`
	Avatar string `json:"avatar,omitempty" maxLength:"1024" doc:"URL of a picture."`
}

// GroupFields is what can be said about a group.
type GroupFields struct {
	Name string `json:"name,omitempty" maxLength:"128" doc:"What members see; the guid when it is empty."`
}

// UserPage is a part of the users, by uid.
type UserPage struct {
	Users []wire.UserView `json:"users" nullable:"false"`
	Next  string          `json:"next,omitempty" doc:"after of the next page; absent on the last."`
}

// GroupPage is a part of the groups, by guid.
type GroupPage struct {
	Groups []wire.GroupView `json:"groups" nullable:"false"`
	Next   string           `json:"next,omitempty" doc:"after of the next page; absent on the last."`
}

// MemberList is everybody in a group.
type MemberList struct {
	Members []wire.UserView `json:"members" nullable:"false"`
}

// status lets a handler choose between 200 and 201.
type statusBody[T any] struct {
	Status int
	Body   T
}

func created[T any](isNew bool, value T) *statusBody[T] {
	if isNew {
		return &statusBody[T]{Status: http.StatusCreated, Body: value}
	}
	return &statusBody[T]{Status: http.StatusOK, Body: value}
}

func (r *REST) registerUsers() {
	missing := []int{http.StatusNotFound}
	register(r, operation{id: "list-users", method: http.MethodGet, path: "/v1/users", access: readers,
		summary: "List users"}, r.listUsers)
	register(r, operation{id: "get-user", method: http.MethodGet, path: "/v1/users/{uid}", access: anyone,
		summary: "Look at a user", errors: missing}, r.getUser)
	register(r, operation{id: "put-user", method: http.MethodPut, path: "/v1/users/{uid}", access: admins,
		summary: "Make a user or change their name and avatar"}, r.putUser)
	register(r, operation{id: "delete-user", method: http.MethodDelete, path: "/v1/users/{uid}", access: admins,
		summary: "Delete a user: they leave all calls and groups, and their tokens are refused from now on", errors: missing},
		r.deleteUser)
}

func (r *REST) listUsers(ctx context.Context, in *pageQuery) (*body[UserPage], error) {
	users, more, err := r.deps.Directory.users(ctx, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	page := UserPage{Users: users}
	if more {
		page.Next = users[len(users)-1].UID
	}
	return reply(page), nil
}

func (r *REST) getUser(ctx context.Context, in *UIDPath) (*body[wire.UserView], error) {
	user, err := r.deps.Directory.user(ctx, in.UID)
	if err != nil {
		return nil, err
	}
	return reply(user), nil
}

func (r *REST) putUser(ctx context.Context, in *struct {
	UIDPath
	Body UserFields
}) (*statusBody[wire.UserView], error) {
	isNew, err := r.deps.Directory.putUser(ctx, wire.UserView{UID: in.UID, Name: in.Body.Name, Avatar: in.Body.Avatar})
	if err != nil {
		return nil, err
	}
	user, err := r.deps.Directory.user(ctx, in.UID)
	return created(isNew, user), err
}

func (r *REST) deleteUser(ctx context.Context, in *UIDPath) (*struct{}, error) {
	left, err := r.deps.Directory.deleteUser(ctx, in.UID)
	for _, guid := range left {
		r.deps.Calls.MemberRemoved(guid, in.UID)
	}
	if err != nil {
		return nil, err
	}
	r.deps.Calls.UserDeleted(in.UID)
	return nil, r.deps.Devices.Forget(ctx, in.UID)
}

func (r *REST) registerGroups() {
	missing := []int{http.StatusNotFound}
	register(r, operation{id: "list-groups", method: http.MethodGet, path: "/v1/groups", access: anyone,
		summary: "List groups: an API key sees all, a user those they belong to"}, r.listGroups)
	register(r, operation{id: "get-group", method: http.MethodGet, path: "/v1/groups/{guid}", access: anyone,
		summary: "Look at a group", errors: missing}, r.getGroup)
	register(r, operation{id: "put-group", method: http.MethodPut, path: "/v1/groups/{guid}", access: organizer,
		summary: "Make a group or change its name"}, r.putGroup)
	register(r, operation{id: "delete-group", method: http.MethodDelete, path: "/v1/groups/{guid}", access: admins,
		summary: "Delete a group; its members leave its call", errors: missing}, r.deleteGroup)
	register(r, operation{id: "list-members", method: http.MethodGet, path: "/v1/groups/{guid}/members", access: anyone,
		summary: "List the members of a group", errors: missing}, r.listMembers)
	register(r, operation{id: "put-member", method: http.MethodPut, path: "/v1/groups/{guid}/members/{uid}", access: organizer,
		summary: "Add a user to a group", errors: []int{http.StatusNotFound, http.StatusConflict}}, r.putMember)
	register(r, operation{id: "delete-member", method: http.MethodDelete, path: "/v1/groups/{guid}/members/{uid}",
		access: organizer, summary: "Take a user out of a group and of its call", errors: missing}, r.deleteMember)
}

func (r *REST) listGroups(ctx context.Context, in *pageQuery) (*body[GroupPage], error) {
	who, list := callerOf(ctx), r.deps.Directory.groups
	if err := r.mayList(who); err != nil {
		return nil, err
	}
	if !who.isServer() && !r.config.OpenLogin {
		list = func(ctx context.Context, after string, limit int) ([]wire.GroupView, bool, error) {
			return r.deps.Directory.groupsWith(ctx, who.uid, after, limit)
		}
	}
	groups, more, err := list(ctx, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	page := GroupPage{Groups: groups}
	if more {
		page.Next = groups[len(groups)-1].GUID
	}
	return reply(page), nil
}

// visible is errNoGroup for a user who does not belong to the group, as if there were none.
func (r *REST) visible(ctx context.Context, guid string) error {
	who := callerOf(ctx)
	if who.isServer() || r.config.OpenLogin {
		return nil
	}
	in, err := r.deps.Directory.isMember(ctx, guid, who.uid)
	if err == nil && !in {
		err = errNoGroup
	}
	return err
}

func (r *REST) getGroup(ctx context.Context, in *GUIDPath) (*body[wire.GroupView], error) {
	if err := r.visible(ctx, in.GUID); err != nil {
		return nil, err
	}
	group, err := r.deps.Directory.group(ctx, in.GUID)
	if err != nil {
		return nil, err
	}
	return reply(group), nil
}

func (r *REST) putGroup(ctx context.Context, in *struct {
	GUIDPath
	Body GroupFields
}) (*statusBody[wire.GroupView], error) {
	// A user who makes a group is its first member; an API key belongs to none.
	isNew, err := r.deps.Directory.putGroup(ctx, wire.GroupView{GUID: in.GUID, Name: in.Body.Name}, callerOf(ctx).uid)
	if err != nil {
		return nil, err
	}
	group, err := r.deps.Directory.group(ctx, in.GUID)
	return created(isNew, group), err
}

func (r *REST) deleteGroup(ctx context.Context, in *GUIDPath) (*struct{}, error) {
	were, err := r.deps.Directory.deleteGroup(ctx, in.GUID)
	for _, uid := range were {
		r.deps.Calls.MemberRemoved(in.GUID, uid)
	}
	return nil, err
}

func (r *REST) listMembers(ctx context.Context, in *GUIDPath) (*body[MemberList], error) {
	if err := r.mayList(callerOf(ctx)); err != nil {
		return nil, err
	}
	if err := r.visible(ctx, in.GUID); err != nil {
		return nil, err
	}
	if _, err := r.deps.Directory.group(ctx, in.GUID); err != nil {
		return nil, err
	}
	uids, err := r.deps.Directory.members(ctx, in.GUID)
	if err != nil {
		return nil, err
	}
	users, err := r.profiles(ctx, uids)
	if err != nil {
		return nil, err
	}
	return reply(MemberList{Members: users}), nil
}

// profiles reads the profiles of users; one who was never seen is named by their uid.
func (r *REST) profiles(ctx context.Context, uids []string) ([]wire.UserView, error) {
	users := make([]wire.UserView, 0, len(uids))
	for _, uid := range uids {
		user, known, err := r.deps.Directory.User(ctx, uid)
		if err != nil {
			return nil, err
		}
		if !known {
			user = wire.UserView{UID: uid, Name: uid}
		}
		users = append(users, user)
	}
	return users, nil
}

// MemberPath names a user in a group.
type MemberPath struct {
	GUIDPath
	UIDPath
}

func (r *REST) putMember(ctx context.Context, in *MemberPath) (*struct{}, error) {
	added, err := r.deps.Directory.addMember(ctx, in.GUID, in.UID)
	if err != nil {
		return nil, err
	}
	if added {
		r.deps.Calls.MemberAdded(in.GUID, in.UID)
	}
	return nil, nil
}

func (r *REST) deleteMember(ctx context.Context, in *MemberPath) (*struct{}, error) {
	if _, err := r.deps.Directory.group(ctx, in.GUID); err != nil {
		return nil, err
	}
	removed, err := r.deps.Directory.removeMember(ctx, in.GUID, in.UID)
	if err != nil {
		return nil, err
	}
	if !removed {
		return nil, errNoUser
	}
	r.deps.Calls.MemberRemoved(in.GUID, in.UID)
	return nil, nil
}
