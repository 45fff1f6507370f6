// For servers that ask for passwords.

export { HASH_KINDS, hashKindOf, verifyPassword, type HashKind } from './hashes.ts';
export { parsePasswordUsers, type PasswordUser, type PasswordUsersOptions } from './password-users.ts';
export { MAX_PASSWORD_FILE_BYTES, PasswordFile, type PasswordFileOptions } from './password-file.ts';
export {
  DEFAULT_PASSWORD_CHECKS,
  PasswordChecker,
  type PasswordCheckLimits,
  type PasswordVerdict,
} from './password-checker.ts';
